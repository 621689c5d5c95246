import { hung, type Turn, turnOf } from '../core/orientation.ts';
import type { Dataset } from '../core/study.ts';
import { patientOrientation } from '../dicom/header.ts';

/** How a film lies by its header; hung where it does not tell. */
export function turnOfFilm(header: Dataset): Turn {
  const orientation = patientOrientation(header);
  return (orientation && turnOf(orientation)) ?? hung;
}
