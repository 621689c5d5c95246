/** What a benchmark found. One row is one figure. */
export interface Row {
  readonly what: string;
  /** The median of the rounds; null: not measured, `note` says why. */
  readonly value: number | null;
  readonly unit: string;
  /** Times the figure that `of` names. */
  readonly ratio?: { readonly value: number; readonly of: string };
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

/** A Markdown table, fit for docs/performance.md. */
export function renderReport({ name, about, rows }: Report): string {
  const lines = rows.map(({ what, value, unit, ratio, note }) => {
    const cells = [
      what,
      value === null ? 'not measured' : `${figure(value)} ${unit}`,
      ratio ? `${figure(ratio.value)} × ${ratio.of}` : '',
      note ?? '',
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return [`### ${name}`, '', about, '', '| what | median | ratio | note |', '|---|---|---|---|', ...lines, ''].join(
    '\n',
  );
}
