/** The question that a source asks an archive: which studies are there? */

/** A study as a search lists it; what is not told is null or empty. */
export interface ListedStudy {
  /** Null where the row names no study, or none that could be asked for. */
  readonly studyInstanceUid: string | null;
  /** As written there, `YYYYMMDD` if it is right. */
  readonly studyDate: string | null;
  /** NumberOfStudyRelatedInstances. */
  readonly instances: number | null;
  /** ModalitiesInStudy. */
  readonly modalities: readonly string[];
}

export interface StudySearch {
  readonly modality: string;
  /** DA or DA range `YYYYMMDD-YYYYMMDD`; null: any date or none. */
  readonly studyDate: string | null;
  /** TM range `HHMMSS-HHMMSS.FFFFFF`; null: any time or none. */
  readonly studyTime: string | null;
  readonly limit: number;
  readonly offset: number;
}

/** One page of a search. */
export type SearchStudies = (search: StudySearch) => Promise<readonly ListedStudy[]>;
