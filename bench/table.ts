/** What a benchmark found. One row is one figure. */
export interface Row {
  /** Names the row for machines; stays when the words change. */
  readonly id: string;
  readonly what: string;
  /** The median of the rounds; null: not measured, `note` says why. */
  readonly value: number | null;
  readonly unit: string;
  /** Images in one run of the network. */
  readonly batch?: number;
  /** Of all processes together. */
  readonly threads?: number;
  /** Times the figure that `of` names. */
  readonly ratio?: { readonly value: number; readonly of: string };
  /** Part of the machine's multiply-add peak in the same run. */
  readonly share?: number;
  /** Images a minute by those of a radiologist. */
  readonly efficiency?: number;
  readonly note?: string;
}

export interface Report {
  readonly name: string;
  readonly about: string;
  readonly rows: readonly Row[];
}

/** Three digits: no figure here is better than that. */
export const figure = (value: number): string =>
  Math.abs(value) >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));

interface Column {
  readonly title: string;
  readonly cell: (row: Row) => string;
}

const columns: readonly Column[] = [
  { title: 'what', cell: ({ what }) => what },
  { title: 'batch', cell: ({ batch }) => (batch === undefined ? '' : String(batch)) },
  { title: 'median', cell: ({ value, unit }) => (value === null ? 'not there' : `${figure(value)} ${unit}`) },
  { title: 'ratio', cell: ({ ratio }) => (ratio ? `${figure(ratio.value)} × ${ratio.of}` : '') },
  { title: 'of the peak', cell: ({ share }) => (share === undefined ? '' : `${Math.round(share * 100)} %`) },
  { title: 'efficiency', cell: ({ efficiency }) => (efficiency === undefined ? '' : String(efficiency)) },
  { title: 'note', cell: ({ note }) => note?.replaceAll('|', '/') ?? '' },
];

/** A Markdown table, fit for docs/performance.md. A column that no row fills is left out. */
export function renderReport({ name, about, rows }: Report): string {
  const shown = columns.filter(({ cell }) => rows.some((row) => cell(row) !== ''));
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const lines = [
    line(shown.map(({ title }) => title)),
    `|${'---|'.repeat(shown.length)}`,
    ...rows.map((row) => line(shown.map(({ cell }) => cell(row)))),
  ];
  return [`### ${name}`, '', about, '', ...lines, ''].join('\n');
}
