import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { type Part, partOf } from '../../scripts/card/partition.ts';
import { goldenRadiograph } from '../../src/model/golden.ts';

/** A made-up folder of radiographs in the form of the real one: drawn films, invented patients. */

export const tableHead =
  'file,label,source,patient,group,licence,view,age,sex,nih_labels,google_airspace_opacity,rsna_class,box';

export interface MadeRow {
  readonly file: string;
  readonly label: string;
  readonly source: string;
  readonly group: string;
  readonly view: string;
  readonly google: string;
  readonly rsna: string;
}

/** The n-th invented group that falls into a part. */
export function groupIn(part: Part, n: number): string {
  for (let i = 0, found = 0; ; i++) {
    const group = `group-${i}`;
    if (partOf(group) === part && found++ === n) return group;
  }
}

const row = (folder: string, number: number, label: string, rest: Partial<MadeRow>): MadeRow => ({
  file: `radiographs/${folder}/${label}/9${String(number).padStart(7, '0')}.jpg`,
  ...{ label, source: folder, group: groupIn('check', number), view: '', google: '', rsna: '' },
  ...rest,
});

/** Few films of every folder and part: what is not held out, and what must be in no set, is among them. */
export function madeRows(): readonly MadeRow[] {
  const pairs = (folder: string, from: number, view: (i: number) => string) =>
    [0, 1, 2, 3].map((i) => row(folder, from + i, i % 2 === 0 ? 'opacity' : 'none', { view: view(i) }));
  return [
    ...pairs('nih', 0, (i) => (i < 2 ? 'AP' : 'PA')).map((each, i) => ({
      ...each,
      rsna: ['Lung Opacity', 'Normal', 'No Lung Opacity / Not Normal', 'Normal'][i]!,
    })),
    ...pairs('nih-more', 4, (i) => (i < 2 ? 'PA' : 'AP')).map((each, i) => ({
      ...each,
      google: i === 0 ? 'YES' : 'NO',
    })),
    ...pairs('kermany', 8, () => ''),
    row('nih', 20, 'none', { group: groupIn('train', 0), view: 'PA' }),
    row('nih', 21, 'opacity', { group: groupIn('tune', 0), view: 'PA' }),
    row('nih-more', 22, 'other', { view: 'PA', google: 'YES' }),
    row('normal', 23, 'none', {}),
    row('normal', 24, 'none', { group: groupIn('train', 1) }),
    row('covid-hannover', 25, 'covid', { view: 'ap' }),
    row('covid-hannover', 26, 'covid', { group: groupIn('tune', 1), view: 'pa' }),
    row('new', 27, 'none', {}),
  ];
}

export function tableOf(rows: readonly MadeRow[]): string {
  const lines = rows.map(({ file, label, source, group, view, google, rsna }) =>
    [file, label, source, group, group, '"free, cite"', view, '40', 'F', 'Infiltration|Mass', google, rsna, ''].join(
      ',',
    ),
  );
  return `${[tableHead, ...lines].join('\n')}\n`;
}

export async function writeData(folder: string): Promise<void> {
  const rows = madeRows();
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'radiographs.csv'), tableOf(rows));
  for (const [index, { file }] of rows.entries()) {
    const { columns, rows: height, pixels } = goldenRadiograph(index + 1);
    const path = join(folder, file);
    mkdirSync(dirname(path), { recursive: true });
    const grey = Buffer.from(Uint8Array.from(pixels, (pixel) => Math.round(255 * pixel)));
    await sharp(grey, { raw: { width: columns, height, channels: 1 } })
      .jpeg()
      .toFile(path);
  }
}
