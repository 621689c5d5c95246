import { Failure } from '../core/failure.ts';
import { isUid } from '../core/ids.ts';
import type { ListedStudy, SearchStudies } from '../core/search.ts';
import type { Dataset, PatientIdentity } from '../core/study.ts';
import { number, type Row, text, texts } from './dataset.ts';
import { createDicomweb, type Dicomweb, type DicomwebOptions } from './dicomweb.ts';
import { patientIdentity } from './header.ts';
import { keywords } from './keywords.ts';

/** Questions to an archive about its studies (QIDO-RS, PS3.18 10.6). */

/** One page of a search for studies, for the sources. */
export function createStudySearch(options: Omit<DicomwebOptions, 'wadoUrl'>): SearchStudies {
  const dicomweb = createDicomweb({ ...options, wadoUrl: options.qidoUrl });
  return async ({ modality, studyDate, studyTime, limit, offset }) => {
    const rows = await dicomweb.searchStudies({
      ...(studyDate === null ? {} : { StudyDate: studyDate }),
      ...(studyTime === null ? {} : { StudyTime: studyTime }),
      ModalitiesInStudy: modality,
      includefield: [keywords.NumberOfStudyRelatedInstances[0], keywords.ModalitiesInStudy[0]].join(','),
      limit: String(limit),
      offset: String(offset),
    });
    return rows.map(studyRow);
  };
}

/** A row that cannot be read must not keep the others from being found. */
function studyRow(row: Row): ListedStudy {
  if (row instanceof Failure) return { studyInstanceUid: null, studyDate: null, instances: null, modalities: [] };
  const uid = text(row, 'StudyInstanceUID');
  return {
    studyInstanceUid: uid !== null && isUid(uid) ? uid : null,
    studyDate: text(row, 'StudyDate'),
    instances: number(row, 'NumberOfStudyRelatedInstances'),
    modalities: texts(row, 'ModalitiesInStudy'),
  };
}

/** The patients of the rows that the archive has for the study: one, none when it is gone, several in a conflict. */
export async function patientsOf(dicomweb: Dicomweb, studyInstanceUid: string): Promise<readonly PatientIdentity[]> {
  requireUid(studyInstanceUid);
  const rows = await dicomweb.searchStudies({
    StudyInstanceUID: studyInstanceUid,
    includefield: [keywords.PatientID[0], keywords.IssuerOfPatientID[0]].join(','),
  });
  // An archive that ignores the key answers with all its studies.
  const asked = rows.map(requireDataset).filter((row) => text(row, 'StudyInstanceUID') === studyInstanceUid);
  return asked.map(patientIdentity);
}

/** Of whom a study is may stand in the very row that cannot be read. */
function requireDataset(row: Row): Dataset {
  if (row instanceof Failure) throw row;
  return row;
}

function requireUid(studyInstanceUid: string): void {
  if (isUid(studyInstanceUid)) return;
  throw new Failure('invalid-identifier', { where: 'StudyInstanceUID', expected: 'a UID of at most 64 characters' });
}
