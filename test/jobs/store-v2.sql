-- The store of schema version 2, as its gateway left it: one job in each condition, 1.3 with its results recorded and half delivered.
CREATE TABLE job (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  study TEXT NOT NULL UNIQUE,
  source TEXT NOT NULL,
  stat INTEGER NOT NULL CHECK (stat IN (0, 1)),
  state TEXT NOT NULL,
  code TEXT,
  attempt INTEGER NOT NULL DEFAULT 0,
  announced_at INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  settling_count INTEGER,
  settling_since INTEGER,
  partial INTEGER NOT NULL DEFAULT 0 CHECK (partial IN (0, 1)),
  claimed INTEGER NOT NULL DEFAULT 0 CHECK (claimed IN (0, 1)),
  announced_again INTEGER NOT NULL DEFAULT 0 CHECK (announced_again IN (0, 1)),
  failing_since INTEGER,
  interrupted INTEGER NOT NULL DEFAULT 0,
  reading INTEGER REFERENCES reading (id),
  waiting INTEGER NOT NULL GENERATED ALWAYS AS (claimed = 0 AND state IN ('announced', 'settling', 'retrying')) VIRTUAL
, ready INTEGER NOT NULL DEFAULT 0 CHECK (ready IN (0, 1)), demand TEXT, next_demand TEXT) STRICT;
CREATE INDEX job_by_state ON job (state);
CREATE INDEX job_by_update ON job (updated_at);
CREATE TABLE history (
  id INTEGER PRIMARY KEY,
  job INTEGER NOT NULL REFERENCES job (number),
  at INTEGER NOT NULL,
  state TEXT NOT NULL,
  code TEXT,
  cause TEXT,
  attempt INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX history_by_job ON history (job);
CREATE TABLE outcome (
  job INTEGER NOT NULL REFERENCES job (number),
  position INTEGER NOT NULL,
  reason TEXT,
  json TEXT NOT NULL,
  PRIMARY KEY (job, position)
) STRICT;
CREATE INDEX outcome_by_reason ON outcome (reason) WHERE reason IS NOT NULL;
CREATE TABLE reading (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  content_key TEXT NOT NULL UNIQUE,
  study TEXT NOT NULL,
  model_id TEXT NOT NULL,
  decision TEXT NOT NULL,
  score REAL,
  read_at TEXT NOT NULL,
  json TEXT NOT NULL
) STRICT;
CREATE INDEX reading_by_study ON reading (study, model_id, id);
CREATE TABLE artifact (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  media_type TEXT NOT NULL,
  sop_class_uid TEXT,
  sha256 TEXT NOT NULL,
  purged_at INTEGER
) STRICT;
CREATE TABLE reading_artifact (
  reading INTEGER NOT NULL REFERENCES reading (id),
  name TEXT NOT NULL,
  position INTEGER NOT NULL,
  artifact TEXT NOT NULL REFERENCES artifact (id),
  file_name TEXT NOT NULL,
  PRIMARY KEY (reading, name)
) STRICT;
CREATE INDEX reading_artifact_by_artifact ON reading_artifact (artifact);
CREATE TABLE receipt (
  artifact TEXT NOT NULL REFERENCES artifact (id),
  destination TEXT NOT NULL,
  stored_at TEXT NOT NULL,
  note TEXT NOT NULL,
  PRIMARY KEY (artifact, destination)
) STRICT;
CREATE TABLE memory (
  owner TEXT NOT NULL,
  key TEXT NOT NULL,
  json TEXT NOT NULL,
  PRIMARY KEY (owner, key)
) STRICT;
CREATE INDEX job_by_turn ON job (waiting, ready, stat, due_at, number);
CREATE INDEX job_by_arrival ON job (waiting, ready, stat, announced_at, number);
INSERT INTO reading (id, content_key, study, model_id, decision, score, read_at, json) VALUES (1, 'af0c642e9713921ae804b5f9dabcaf0e1b11bd94a2f1ba27689f2a309cd02252', '1.3', 'test-model', 'present', 0.8731, '2026-03-14T09:20:00.000Z', '{"model":{"id":"test-model","manufacturer":"cxr-gateway project","name":"ResNet-101 airspace opacity","version":"0.0.1-test","sha256":"f17cab62d3d2a268f00989a09d76ee19197f451c47dae460a832a18a31186e7a","precision":"float32","deviceUid":"2.25.34151728315416177351130626067874731806","training":"trained","preprocessing":"resize 224x224 bicubic; stretch 1-99; normalize","intendedUse":"Tests of the gateway."},"settings":{"operatingPoint":0.5,"heatmapMaxSide":1024,"flagSuspectedCovid":true,"procedureReported":"imagingProcedure","timezoneOffset":null},"study":{"StudyInstanceUID":"1.3","PatientName":"PHANTOM^CLEAR","PatientID":"PH-001","IssuerOfPatientID":null,"OtherPatientIDsSequence":[],"PatientBirthDate":"19600229","PatientSex":"F","PatientAge":"064Y","StudyDate":"20260314","StudyTime":"101500","TimezoneOffsetFromUTC":"+0100","StudyID":"7","AccessionNumber":"ACC-001","StudyDescription":"Chest PA","ReferringPhysicianName":"REFERRER^ROSA","RequestedProcedureID":null,"RequestedProcedureDescription":null,"PlacerOrderNumberImagingServiceRequest":null,"FillerOrderNumberImagingServiceRequest":null,"RequestedProcedureCodeSequence":[],"ProcedureCodeSequence":[]},"images":[{"image":{"StudyInstanceUID":"1.2.826.0.1.3680043.8.498.1","SeriesInstanceUID":"1.2.826.0.1.3680043.8.498.1.1","SOPInstanceUID":"1.2.826.0.1.3680043.8.498.1.1.1","SOPClassUID":"1.2.840.10008.5.1.4.1.1.1.1","Modality":"DX","SeriesNumber":1,"InstanceNumber":1,"Rows":2500,"Columns":2048,"PatientOrientation":["L","F"],"PixelSpacing":null,"ImagerPixelSpacing":[0.168,0.168],"AcquisitionDate":"20260314","AcquisitionTime":"101512","BurnedInAnnotation":"NO","LossyImageCompression":"00","LossyImageCompressionRatio":[],"LossyImageCompressionMethod":[]},"view":"PA","score":0.8731,"decision":"present","map":{"columns":7,"rows":7,"values":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,2,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]},"region":[[0,0],[2048,0],[2048,2500],[0,2500],[0,0]],"zone":"right-lower","pixelDigest":"6ec9c2b0eb14010746c8bce8939303b382344b296206612eb8a907a37b2b2f37","revision":1,"provider":{"asked":"cpu","used":"cpu"},"flags":[]}],"failures":[],"decision":"present","score":0.8731,"highestImage":"1.2.826.0.1.3680043.8.498.1.1.1","readAt":"2026-03-14T09:20:00.000Z","revision":1,"predecessor":null,"source":"test"}');
INSERT INTO artifact (id, kind, media_type, sop_class_uid, sha256, purged_at) VALUES ('2.25.1.3', 'sr', 'application/dicom', NULL, 'a742104dfed32836cca46939ce7266a62dfa34e7a5b500135c11ca49a4892a98', NULL);
INSERT INTO artifact (id, kind, media_type, sop_class_uid, sha256, purged_at) VALUES ('2.25.1.30', 'heatmap', 'application/dicom', NULL, '5c48d39ec2a37a40859aef218ffe317e82c0283a6c2549a0ce8747870b250e29', NULL);
INSERT INTO reading_artifact (reading, name, position, artifact, file_name) VALUES (1, 'sr', 0, '2.25.1.3', 'sr.dcm');
INSERT INTO reading_artifact (reading, name, position, artifact, file_name) VALUES (1, 'heatmap-1', 1, '2.25.1.30', 'heatmap-1.dcm');
INSERT INTO receipt (artifact, destination, stored_at, note) VALUES ('2.25.1.30', 'pacs', '2026-03-14T09:21:00.000Z', 'stored');
INSERT INTO job (number, study, source, stat, state, code, attempt, announced_at, due_at, updated_at, settling_count, settling_since, partial, claimed, announced_again, failing_since, interrupted, reading, ready, demand, next_demand) VALUES (1, '1.5', 'qido-poll', 0, 'done', NULL, 0, 104, 104, 330, NULL, NULL, 1, 0, 0, NULL, 0, NULL, 1, NULL, NULL);
INSERT INTO job (number, study, source, stat, state, code, attempt, announced_at, due_at, updated_at, settling_count, settling_since, partial, claimed, announced_again, failing_since, interrupted, reading, ready, demand, next_demand) VALUES (2, '1.2', 'qido-poll', 1, 'retrying', 'pacs-busy', 2, 101, 9000, 300, NULL, NULL, 0, 0, 0, 200, 0, NULL, 0, NULL, NULL);
INSERT INTO job (number, study, source, stat, state, code, attempt, announced_at, due_at, updated_at, settling_count, settling_since, partial, claimed, announced_again, failing_since, interrupted, reading, ready, demand, next_demand) VALUES (3, '1.4', 'qido-poll', 0, 'settling', NULL, 0, 103, 8000, 320, 4, 320, 0, 0, 0, NULL, 0, NULL, 0, NULL, NULL);
INSERT INTO job (number, study, source, stat, state, code, attempt, announced_at, due_at, updated_at, settling_count, settling_since, partial, claimed, announced_again, failing_since, interrupted, reading, ready, demand, next_demand) VALUES (4, '1.3', 'qido-poll', 0, 'delivering', NULL, 0, 102, 102, 310, NULL, NULL, 0, 1, 0, NULL, 0, 1, 1, NULL, NULL);
INSERT INTO job (number, study, source, stat, state, code, attempt, announced_at, due_at, updated_at, settling_count, settling_since, partial, claimed, announced_again, failing_since, interrupted, reading, ready, demand, next_demand) VALUES (5, '1.6', 'qido-poll', 0, 'selected', NULL, 0, 106, 106, 108, NULL, NULL, 0, 1, 0, NULL, 0, NULL, 1, NULL, NULL);
INSERT INTO job (number, study, source, stat, state, code, attempt, announced_at, due_at, updated_at, settling_count, settling_since, partial, claimed, announced_again, failing_since, interrupted, reading, ready, demand, next_demand) VALUES (6, '1.1', 'qido-poll', 0, 'announced', NULL, 0, 100, 100, 100, NULL, NULL, 0, 0, 0, NULL, 0, NULL, 1, NULL, NULL);
INSERT INTO history (id, job, at, state, code, cause, attempt, duration_ms) VALUES (1, 1, 104, 'announced', NULL, NULL, 0, 0);
INSERT INTO history (id, job, at, state, code, cause, attempt, duration_ms) VALUES (2, 1, 330, 'done', NULL, NULL, 0, 226);
INSERT INTO history (id, job, at, state, code, cause, attempt, duration_ms) VALUES (3, 2, 101, 'announced', NULL, NULL, 0, 0);
INSERT INTO history (id, job, at, state, code, cause, attempt, duration_ms) VALUES (4, 2, 200, 'retrying', 'pacs-timeout', NULL, 1, 99);
INSERT INTO history (id, job, at, state, code, cause, attempt, duration_ms) VALUES (5, 2, 300, 'retrying', 'pacs-busy', NULL, 2, 100);
INSERT INTO history (id, job, at, state, code, cause, attempt, duration_ms) VALUES (6, 3, 103, 'announced', NULL, NULL, 0, 0);
INSERT INTO history (id, job, at, state, code, cause, attempt, duration_ms) VALUES (7, 3, 320, 'settling', NULL, NULL, 0, 217);
INSERT INTO history (id, job, at, state, code, cause, attempt, duration_ms) VALUES (8, 4, 102, 'announced', NULL, NULL, 0, 0);
INSERT INTO history (id, job, at, state, code, cause, attempt, duration_ms) VALUES (9, 4, 106, 'selected', NULL, NULL, 0, 4);
INSERT INTO history (id, job, at, state, code, cause, attempt, duration_ms) VALUES (10, 4, 310, 'delivering', NULL, NULL, 0, 204);
INSERT INTO history (id, job, at, state, code, cause, attempt, duration_ms) VALUES (11, 5, 106, 'announced', NULL, NULL, 0, 0);
INSERT INTO history (id, job, at, state, code, cause, attempt, duration_ms) VALUES (12, 5, 108, 'selected', NULL, NULL, 0, 2);
INSERT INTO history (id, job, at, state, code, cause, attempt, duration_ms) VALUES (13, 6, 100, 'announced', NULL, NULL, 0, 0);
INSERT INTO memory (owner, key, json) VALUES ('qido-poll', 'cursor', '7');
PRAGMA user_version = 2;
PRAGMA application_id = 1129861703;
