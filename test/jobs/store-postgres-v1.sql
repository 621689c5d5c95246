-- The PostgreSQL store of schema version 1, as its gateway left it: what store-v3.sql holds.
CREATE SCHEMA cxr_gateway;
SET search_path = cxr_gateway;
CREATE TABLE schema_version (application TEXT NOT NULL, version INTEGER NOT NULL);
INSERT INTO schema_version VALUES ('cxr-gateway', 1);
CREATE SEQUENCE instance_number AS integer;
CREATE TABLE reading (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  content_key TEXT NOT NULL UNIQUE,
  study TEXT NOT NULL,
  model_id TEXT NOT NULL,
  decision TEXT NOT NULL,
  score DOUBLE PRECISION,
  read_at TEXT NOT NULL,
  json TEXT NOT NULL
);
CREATE INDEX reading_by_study ON reading (study, model_id, id);

CREATE TABLE job (
  number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  study TEXT NOT NULL UNIQUE,
  source TEXT NOT NULL,
  stat SMALLINT NOT NULL CHECK (stat IN (0, 1)),
  state TEXT NOT NULL,
  code TEXT,
  attempt INTEGER NOT NULL DEFAULT 0,
  announced_at BIGINT NOT NULL,
  due_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  settling_count INTEGER,
  settling_since BIGINT,
  partial SMALLINT NOT NULL DEFAULT 0 CHECK (partial IN (0, 1)),
  claimed SMALLINT NOT NULL DEFAULT 0 CHECK (claimed IN (0, 1)),
  announced_again SMALLINT NOT NULL DEFAULT 0 CHECK (announced_again IN (0, 1)),
  failing_since BIGINT,
  interrupted INTEGER NOT NULL DEFAULT 0,
  reading BIGINT REFERENCES reading (id),
  ready SMALLINT NOT NULL DEFAULT 0 CHECK (ready IN (0, 1)),
  demand TEXT,
  next_demand TEXT,
  claim TEXT,
  instance INTEGER,
  ended_claim TEXT,
  waiting SMALLINT NOT NULL GENERATED ALWAYS AS
    (CASE WHEN claimed = 0 AND state IN ('announced', 'settling', 'retrying') THEN 1 ELSE 0 END) STORED,
  CHECK ((claimed = 1) = (claim IS NOT NULL AND instance IS NOT NULL))
);
CREATE INDEX job_by_turn ON job (ready, stat, due_at, number) WHERE waiting = 1;
CREATE INDEX job_by_arrival ON job (ready, stat, announced_at, number) WHERE waiting = 1;
CREATE UNIQUE INDEX job_by_claim ON job (claim) WHERE claimed = 1;
CREATE INDEX job_by_state ON job (state);
CREATE INDEX job_by_update ON job (updated_at);

CREATE TABLE history (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  job BIGINT NOT NULL REFERENCES job (number),
  at BIGINT NOT NULL,
  state TEXT NOT NULL,
  code TEXT,
  cause TEXT,
  attempt INTEGER NOT NULL,
  duration_ms BIGINT NOT NULL
);
CREATE INDEX history_by_job ON history (job);

CREATE TABLE outcome (
  job BIGINT NOT NULL REFERENCES job (number),
  position INTEGER NOT NULL,
  reason TEXT,
  json TEXT NOT NULL,
  PRIMARY KEY (job, position)
);
CREATE INDEX outcome_by_reason ON outcome (reason) WHERE reason IS NOT NULL;
CREATE TABLE artifact (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  media_type TEXT NOT NULL,
  sop_class_uid TEXT,
  sha256 TEXT NOT NULL,
  purged_at BIGINT
);
CREATE TABLE artifact_bytes (
  artifact TEXT PRIMARY KEY REFERENCES artifact (id),
  bytes BYTEA NOT NULL
);
ALTER TABLE artifact_bytes ALTER COLUMN bytes SET STORAGE EXTERNAL;
CREATE TABLE reading_artifact (
  reading BIGINT NOT NULL REFERENCES reading (id),
  name TEXT NOT NULL,
  position INTEGER NOT NULL,
  artifact TEXT NOT NULL REFERENCES artifact (id),
  file_name TEXT NOT NULL,
  PRIMARY KEY (reading, name)
);
CREATE INDEX reading_artifact_by_artifact ON reading_artifact (artifact);
CREATE TABLE receipt (
  artifact TEXT NOT NULL REFERENCES artifact (id),
  destination TEXT NOT NULL,
  stored_at TEXT NOT NULL,
  note TEXT NOT NULL,
  PRIMARY KEY (artifact, destination)
);
CREATE TABLE memory (
  owner TEXT NOT NULL,
  key TEXT NOT NULL,
  json TEXT NOT NULL,
  PRIMARY KEY (owner, key)
);
CREATE TABLE site_secret (
  one BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (one),
  secret TEXT NOT NULL
);

INSERT INTO reading (id, content_key, study, model_id, decision, score, read_at, json) OVERRIDING SYSTEM VALUE VALUES (1, 'af0c642e9713921ae804b5f9dabcaf0e1b11bd94a2f1ba27689f2a309cd02252', '1.3', 'test-model', 'present', 0.8731, '2026-03-14T09:20:00.000Z', '{"model":{"id":"test-model","manufacturer":"cxr-gateway project","name":"ResNet-101 airspace opacity","version":"0.0.1-test","sha256":"f17cab62d3d2a268f00989a09d76ee19197f451c47dae460a832a18a31186e7a","precision":"float32","deviceUid":"2.25.34151728315416177351130626067874731806","training":"trained","preprocessing":"resize 224x224 bicubic; stretch 1-99; normalize","intendedUse":"Tests of the gateway."},"settings":{"operatingPoint":0.5,"heatmapMaxSide":1024,"flagSuspectedCovid":true,"procedureReported":"imagingProcedure","timezoneOffset":null},"study":{"StudyInstanceUID":"1.3","PatientName":"PHANTOM^CLEAR","PatientID":"PH-001","IssuerOfPatientID":null,"OtherPatientIDsSequence":[],"PatientBirthDate":"19600229","PatientSex":"F","PatientAge":"064Y","StudyDate":"20260314","StudyTime":"101500","TimezoneOffsetFromUTC":"+0100","StudyID":"7","AccessionNumber":"ACC-001","StudyDescription":"Chest PA","ReferringPhysicianName":"REFERRER^ROSA","RequestedProcedureID":null,"RequestedProcedureDescription":null,"PlacerOrderNumberImagingServiceRequest":null,"FillerOrderNumberImagingServiceRequest":null,"RequestedProcedureCodeSequence":[],"ProcedureCodeSequence":[]},"images":[{"image":{"StudyInstanceUID":"1.2.826.0.1.3680043.8.498.1","SeriesInstanceUID":"1.2.826.0.1.3680043.8.498.1.1","SOPInstanceUID":"1.2.826.0.1.3680043.8.498.1.1.1","SOPClassUID":"1.2.840.10008.5.1.4.1.1.1.1","Modality":"DX","SeriesNumber":1,"InstanceNumber":1,"Rows":2500,"Columns":2048,"PatientOrientation":["L","F"],"PixelSpacing":null,"ImagerPixelSpacing":[0.168,0.168],"AcquisitionDate":"20260314","AcquisitionTime":"101512","BurnedInAnnotation":"NO","LossyImageCompression":"00","LossyImageCompressionRatio":[],"LossyImageCompressionMethod":[]},"view":"PA","score":0.8731,"decision":"present","map":{"columns":7,"rows":7,"values":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,2,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]},"region":[[0,0],[2048,0],[2048,2500],[0,2500],[0,0]],"zone":"right-lower","pixelDigest":"6ec9c2b0eb14010746c8bce8939303b382344b296206612eb8a907a37b2b2f37","revision":1,"provider":{"asked":"cpu","used":"cpu"},"flags":[]}],"failures":[],"decision":"present","score":0.8731,"highestImage":"1.2.826.0.1.3680043.8.498.1.1.1","readAt":"2026-03-14T09:20:00.000Z","revision":1,"predecessor":null,"source":"test"}');
INSERT INTO artifact (id, kind, media_type, sop_class_uid, sha256, purged_at) VALUES ('2.25.1.3', 'sr', 'application/dicom', NULL, 'a742104dfed32836cca46939ce7266a62dfa34e7a5b500135c11ca49a4892a98', NULL);
INSERT INTO artifact (id, kind, media_type, sop_class_uid, sha256, purged_at) VALUES ('2.25.1.30', 'heatmap', 'application/dicom', NULL, '5c48d39ec2a37a40859aef218ffe317e82c0283a6c2549a0ce8747870b250e29', NULL);
INSERT INTO reading_artifact (reading, name, position, artifact, file_name) VALUES (1, 'sr', 0, '2.25.1.3', 'sr.dcm');
INSERT INTO reading_artifact (reading, name, position, artifact, file_name) VALUES (1, 'heatmap-1', 1, '2.25.1.30', 'heatmap-1.dcm');
INSERT INTO receipt (artifact, destination, stored_at, note) VALUES ('2.25.1.30', 'pacs', '2026-03-14T09:21:00.000Z', 'stored');
INSERT INTO job (number, study, source, stat, state, code, attempt, announced_at, due_at, updated_at, settling_count, settling_since, partial, claimed, announced_again, failing_since, interrupted, reading, ready, demand, next_demand, claim, instance, ended_claim) OVERRIDING SYSTEM VALUE VALUES (1, '1.5', 'qido-poll', 0, 'done', NULL, 0, 104, 104, 330, NULL, NULL, 1, 0, 0, NULL, 0, NULL, 1, NULL, NULL, NULL, NULL, 'ee646170-db92-4322-87da-c31cdc3028f8');
INSERT INTO job (number, study, source, stat, state, code, attempt, announced_at, due_at, updated_at, settling_count, settling_since, partial, claimed, announced_again, failing_since, interrupted, reading, ready, demand, next_demand, claim, instance, ended_claim) OVERRIDING SYSTEM VALUE VALUES (2, '1.2', 'qido-poll', 1, 'retrying', 'pacs-busy', 2, 101, 9000, 300, NULL, NULL, 0, 0, 0, 200, 0, NULL, 0, NULL, NULL, NULL, NULL, '43b27d35-0dcc-489e-891b-5bcb238f0a06');
INSERT INTO job (number, study, source, stat, state, code, attempt, announced_at, due_at, updated_at, settling_count, settling_since, partial, claimed, announced_again, failing_since, interrupted, reading, ready, demand, next_demand, claim, instance, ended_claim) OVERRIDING SYSTEM VALUE VALUES (3, '1.4', 'qido-poll', 0, 'settling', NULL, 0, 103, 8000, 320, 4, 320, 0, 0, 0, NULL, 0, NULL, 0, NULL, NULL, NULL, NULL, '1019c735-b87b-40c1-940b-b575e9f77214');
INSERT INTO job (number, study, source, stat, state, code, attempt, announced_at, due_at, updated_at, settling_count, settling_since, partial, claimed, announced_again, failing_since, interrupted, reading, ready, demand, next_demand, claim, instance, ended_claim) OVERRIDING SYSTEM VALUE VALUES (4, '1.3', 'qido-poll', 0, 'delivering', NULL, 0, 102, 102, 310, NULL, NULL, 0, 1, 0, NULL, 0, 1, 1, NULL, NULL, '50c00c31-8218-4d3b-9d53-14874449d034', 1, NULL);
INSERT INTO job (number, study, source, stat, state, code, attempt, announced_at, due_at, updated_at, settling_count, settling_since, partial, claimed, announced_again, failing_since, interrupted, reading, ready, demand, next_demand, claim, instance, ended_claim) OVERRIDING SYSTEM VALUE VALUES (5, '1.6', 'qido-poll', 0, 'selected', NULL, 0, 106, 106, 108, NULL, NULL, 0, 1, 0, NULL, 0, NULL, 1, NULL, NULL, '4dff33aa-1c46-410a-b114-d9a835d08789', 1, NULL);
INSERT INTO job (number, study, source, stat, state, code, attempt, announced_at, due_at, updated_at, settling_count, settling_since, partial, claimed, announced_again, failing_since, interrupted, reading, ready, demand, next_demand, claim, instance, ended_claim) OVERRIDING SYSTEM VALUE VALUES (6, '1.1', 'qido-poll', 0, 'announced', NULL, 0, 100, 100, 100, NULL, NULL, 0, 0, 0, NULL, 0, NULL, 1, NULL, NULL, NULL, NULL, NULL);
INSERT INTO history (id, job, at, state, code, cause, attempt, duration_ms) OVERRIDING SYSTEM VALUE VALUES (1, 1, 104, 'announced', NULL, NULL, 0, 0);
INSERT INTO history (id, job, at, state, code, cause, attempt, duration_ms) OVERRIDING SYSTEM VALUE VALUES (2, 1, 330, 'done', NULL, NULL, 0, 226);
INSERT INTO history (id, job, at, state, code, cause, attempt, duration_ms) OVERRIDING SYSTEM VALUE VALUES (3, 2, 101, 'announced', NULL, NULL, 0, 0);
INSERT INTO history (id, job, at, state, code, cause, attempt, duration_ms) OVERRIDING SYSTEM VALUE VALUES (4, 2, 200, 'retrying', 'pacs-timeout', NULL, 1, 99);
INSERT INTO history (id, job, at, state, code, cause, attempt, duration_ms) OVERRIDING SYSTEM VALUE VALUES (5, 2, 300, 'retrying', 'pacs-busy', NULL, 2, 100);
INSERT INTO history (id, job, at, state, code, cause, attempt, duration_ms) OVERRIDING SYSTEM VALUE VALUES (6, 3, 103, 'announced', NULL, NULL, 0, 0);
INSERT INTO history (id, job, at, state, code, cause, attempt, duration_ms) OVERRIDING SYSTEM VALUE VALUES (7, 3, 320, 'settling', NULL, NULL, 0, 217);
INSERT INTO history (id, job, at, state, code, cause, attempt, duration_ms) OVERRIDING SYSTEM VALUE VALUES (8, 4, 102, 'announced', NULL, NULL, 0, 0);
INSERT INTO history (id, job, at, state, code, cause, attempt, duration_ms) OVERRIDING SYSTEM VALUE VALUES (9, 4, 106, 'selected', NULL, NULL, 0, 4);
INSERT INTO history (id, job, at, state, code, cause, attempt, duration_ms) OVERRIDING SYSTEM VALUE VALUES (10, 4, 310, 'delivering', NULL, NULL, 0, 204);
INSERT INTO history (id, job, at, state, code, cause, attempt, duration_ms) OVERRIDING SYSTEM VALUE VALUES (11, 5, 106, 'announced', NULL, NULL, 0, 0);
INSERT INTO history (id, job, at, state, code, cause, attempt, duration_ms) OVERRIDING SYSTEM VALUE VALUES (12, 5, 108, 'selected', NULL, NULL, 0, 2);
INSERT INTO history (id, job, at, state, code, cause, attempt, duration_ms) OVERRIDING SYSTEM VALUE VALUES (13, 6, 100, 'announced', NULL, NULL, 0, 0);
INSERT INTO memory (owner, key, json) VALUES ('qido-poll', 'cursor', '7');
SELECT nextval('instance_number'), setval('job_number_seq', 100), setval('reading_id_seq', 100), setval('history_id_seq', 100);
