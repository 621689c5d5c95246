import type { Label, Row } from '../../src/science/table.ts';
import { partOf } from './partition.ts';

/** The films that a card tells of, out of the table of radiographs. Patients that trained or tuned are in none. */

export const setNames = ['adult', 'children', 'cross-source'] as const;
export type SetName = (typeof setNames)[number];

export interface FilmSet {
  readonly name: SetName;
  readonly rows: readonly Row[];
  /** The checks for shortcuts mask by a lung template that is drawn for adults, and are told once a film. */
  readonly shortcuts: boolean;
}

export const adultFolders: readonly string[] = ['nih', 'nih-more'];

/** `nih` of `radiographs/nih/Pneumonia/x.jpg`; empty for a path of another form. */
export function folderOf({ file }: Pick<Row, 'file'>): string {
  const parts = file.split('/');
  return parts.length > 2 && parts[0] === 'radiographs' ? parts[1]! : '';
}

/** Held-out patients within each source; one hospital's COVID-19 against another's normal films across sources. */
export function setsOf(rows: readonly Row[]): readonly FilmSet[] {
  const of = (folder: string, ...labels: readonly Label[]) =>
    rows.filter((row) => folderOf(row) === folder && labels.includes(row.label));
  const held = (folder: string) => of(folder, 'opacity', 'none').filter(({ group }) => partOf(group) === 'check');
  const crossSource = [...of('covid-hannover', 'covid'), ...of('normal', 'none')];
  return [
    { name: 'adult', rows: adultFolders.flatMap(held), shortcuts: true },
    { name: 'children', rows: held('kermany'), shortcuts: false },
    { name: 'cross-source', rows: crossSource, shortcuts: true },
  ];
}

/** The rows as a table that `evaluate` reads, every column kept (RFC 4180). */
export function tableText(rows: readonly Row[]): string {
  const columns = [...new Set(rows.flatMap(({ cells }) => Object.keys(cells)))];
  const lines = rows.map(({ cells }) => columns.map((column) => cell(cells[column] ?? '')).join(','));
  return `${[columns.join(','), ...lines].join('\n')}\n`;
}

const cell = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
