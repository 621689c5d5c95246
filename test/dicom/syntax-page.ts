import { transferSyntaxes, transferSyntaxOf } from '../../src/dicom/transfer-syntax.ts';
import type { Outcome } from './syntax-matrix.ts';

/** The tables of conformance/transfer-syntaxes.md out of what the matrix gave. */

export const depths = [8, 9, 10, 11, 12, 13, 14, 15, 16] as const;

/** How a frame may lie in its fragments, and what became of each codec's frame in it. */
export interface Framed {
  readonly framing: string;
  readonly codec: string;
  readonly code: string;
}

export function matrixTables(
  outcomes: readonly Outcome[],
  framed: readonly Framed[],
): Readonly<Record<string, string>> {
  return { depths: depthTable(outcomes), 'high-bits': highBitTable(outcomes), framing: framingTable(framed) };
}

const isLow = ({ bits, highBit }: Outcome): boolean => highBit === bits - 1;

function depthTable(outcomes: readonly Outcome[]): string {
  const rows = Object.keys(transferSyntaxes).map((syntax) => {
    const own = outcomes.filter((one) => one.syntax === syntax && isLow(one));
    const cells = depths.map((bits) => cellOf(own.filter((one) => one.bits === bits)));
    return [transferSyntaxOf(syntax).name, syntax, ...cells, writersOf(own), againstOf(own)];
  });
  return table(['transfer syntax', 'UID', ...depths.map(String), 'written by', 'held against'], rows);
}

function highBitTable(outcomes: readonly Outcome[]): string {
  const high = outcomes.filter((one) => !isLow(one));
  const columns = [...new Set(high.map(({ bits, highBit }) => `${bits} bits, HighBit ${highBit}`))];
  const rows = [...new Set(high.map(({ syntax }) => syntax))].map((syntax) => {
    const own = high.filter((one) => one.syntax === syntax);
    const cells = columns.map((column) =>
      cellOf(own.filter((one) => `${one.bits} bits, HighBit ${one.highBit}` === column)),
    );
    return [transferSyntaxOf(syntax).name, ...cells, againstOf(own)];
  });
  return table(['transfer syntax', ...columns, 'held against'], rows);
}

function framingTable(framed: readonly Framed[]): string {
  const codecs = [...new Set(framed.map(({ codec }) => codec))];
  const rows = [...new Set(framed.map(({ framing }) => framing))].map((framing) => [
    framing,
    ...codecs.map((codec) => framed.find((one) => one.framing === framing && one.codec === codec)?.code ?? ''),
  ]);
  return table(['how the frame lies', ...codecs], rows);
}

/** Unsigned and signed, MONOCHROME1 and MONOCHROME2 in one cell: what they have in common, or which is otherwise. */
function cellOf(cases: readonly Outcome[]): string {
  const verdicts = [...new Set(cases.map(verdictOf))];
  const [verdict = '–'] = verdicts;
  if (verdicts.length > 1)
    return [...new Set(cases.map((one) => `${one.signed ? 'signed' : 'unsigned'} ${verdictOf(one)}`))].join(', ');
  return cases.length > 0 && cases.every(({ signed }) => !signed) ? `${verdict}, unsigned` : verdict;
}

/** Lossless: the values that went in. Lossy: the largest difference from another decoder. */
export function verdictOf(one: Outcome): string {
  if (one.code !== 'read') return one.code;
  if (isLossless(one.syntax)) return differenceOf(one) === 0 ? 'exact' : `off by ${differenceOf(one)}`;
  return `≤ ${Math.max(1, differenceOf(one))}`;
}

export const isLossless = (syntax: string): boolean => !/\.4\.(50|51|81|91|203)$/.test(syntax);

/** From the values that went in, where they must come back, and from every other decoder. */
export function differenceOf({ syntax, source, pydicom, dcmtk }: Outcome): number {
  const others = [...(isLossless(syntax) ? [source] : []), pydicom, dcmtk];
  return Math.max(...others.filter((value) => value !== null));
}

const writersOf = (cases: readonly Outcome[]): string => [...new Set(cases.map(({ writer }) => writer))].join(', ');

function againstOf(cases: readonly Outcome[]): string {
  const [first] = cases;
  const names = [
    first && isLossless(first.syntax) ? 'what went in' : null,
    cases.some(({ pydicom }) => pydicom !== null) ? 'pydicom' : null,
    cases.some(({ dcmtk }) => dcmtk !== null) ? 'dcmtk' : null,
  ];
  return names.filter((name) => name !== null).join(', ');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
