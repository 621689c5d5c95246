import type { EstimateFigure, SetFigures } from './figures.ts';

/** How a card writes numbers and tables. */

export type Cell = string | number;

export function table(head: readonly Cell[], rows: readonly (readonly Cell[])[]): string {
  const line = (cells: readonly Cell[]) =>
    `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

export const decimal = (value: number): string => value.toFixed(3);
export const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;
export const scientific = (value: number): string => value.toExponential(1);

/** `0.853 (0.812 to 0.887)`; a figure that the films do not define is said to be none. */
export function withInterval({ value, ci95 }: EstimateFigure, write: (value: number) => string): string {
  if (value === null) return 'not defined';
  return ci95 === null ? `${write(value)} (no interval)` : `${write(value)} (${write(ci95[0])} to ${write(ci95[1])})`;
}

type Rates = Pick<
  SetFigures,
  'sensitivity' | 'sensitivity_ci95' | 'specificity' | 'specificity_ci95' | 'accuracy' | 'accuracy_ci95'
>;

export const auc = ({ auc: value, auc_ci95: ci95 }: Pick<SetFigures, 'auc' | 'auc_ci95'>): string =>
  withInterval({ value, ci95 }, decimal);
export const rate = (rates: Rates, name: 'sensitivity' | 'specificity' | 'accuracy'): string =>
  withInterval({ value: rates[name], ci95: rates[`${name}_ci95`] }, percent);
