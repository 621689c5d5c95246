import { type Cost, costs, type DepthCost, depths } from './backlog-depth.ts';

/** The cost of a study over the depth of the backlog, as SVG: one panel an engine, both axes in powers of ten. */

const panel = { width: 380, height: 300, left: 56, right: 92, top: 40, bottom: 46, gap: 24 } as const;
const range = { least: 0.1, most: 1_000 } as const;
/** Told apart without colour by their labels; colours of Okabe and Ito. */
const colours: Readonly<Record<Cost, string>> = {
  announce: '#0072B2',
  claim: '#D55E00',
  record: '#009E73',
  settle: '#CC79A7',
  board: '#56B4E9',
  restart: '#555555',
};

const inner = { width: panel.width - panel.left - panel.right, height: panel.height - panel.top - panel.bottom };
const share = (value: number, least: number, most: number): number =>
  Math.log10(value / least) / Math.log10(most / least);
const x = (depth: number): number => panel.left + inner.width * share(depth, depths[0], depths.at(-1)!);
const y = (ms: number): number =>
  panel.top + inner.height * (1 - share(Math.min(range.most, Math.max(range.least, ms)), range.least, range.most));
const round = (value: number): string => value.toFixed(1);

function text(at: { readonly x: number; readonly y: number }, words: string, more = ''): string {
  return `<text x="${round(at.x)}" y="${round(at.y)}" ${more}>${words}</text>`;
}

function axes(title: string): string {
  const powers = Array.from({ length: 5 }, (_, index) => 10 ** (index - 1));
  const [right, foot] = [panel.left + inner.width, panel.top + inner.height];
  return [
    text({ x: panel.left, y: panel.top - 16 }, title, 'font-weight="600"'),
    ...powers.flatMap((ms) => [
      `<line x1="${panel.left}" x2="${right}" y1="${round(y(ms))}" y2="${round(y(ms))}" stroke="#ddd"/>`,
      text({ x: panel.left - 6, y: y(ms) + 4 }, String(ms), 'text-anchor="end"'),
    ]),
    ...depths.map((depth) =>
      text({ x: x(depth), y: foot + 16 }, depth.toLocaleString('en-US'), 'text-anchor="middle"'),
    ),
    text({ x: panel.left + inner.width / 2, y: foot + 34 }, 'studies that wait', 'text-anchor="middle"'),
    text({ x: 12, y: panel.top - 16 }, 'ms'),
  ].join('\n');
}

/** Heights of the labels at the ends of the lines, moved apart where they would overlap. */
function labelHeights(ends: readonly { readonly cost: Cost; readonly at: number }[]): ReadonlyMap<Cost, number> {
  const heights = new Map<Cost, number>();
  let last = Number.NEGATIVE_INFINITY;
  for (const { cost, at } of [...ends].sort((a, b) => a.at - b.at)) {
    last = Math.max(at, last + 13);
    heights.set(cost, last);
  }
  return heights;
}

function lines(found: readonly DepthCost[]): string {
  const ends = costs.map((cost) => ({ cost, at: y(found.at(-1)!.ms[cost]) }));
  const heights = labelHeights(ends);
  const line = (cost: Cost): string => {
    const points = found.map(({ depth, ms }) => `${round(x(depth))},${round(y(ms[cost]))}`);
    const marks = points.map(
      (point) => `<circle cx="${point.split(',')[0]}" cy="${point.split(',')[1]}" r="2.5" fill="${colours[cost]}"/>`,
    );
    const path = `<polyline points="${points.join(' ')}" fill="none" stroke="${colours[cost]}" stroke-width="1.8"/>`;
    const label = text({ x: panel.left + inner.width + 8, y: heights.get(cost)! + 4 }, cost, `fill="${colours[cost]}"`);
    return [path, ...marks, label].join('\n');
  };
  return costs.map(line).join('\n');
}

export function plotDepths(found: readonly DepthCost[]): string {
  const engines = [...Map.groupBy(found, ({ engine }) => engine)];
  const width = engines.length * panel.width + (engines.length - 1) * panel.gap;
  const panels = engines.map(([engine, of], index) => {
    return `<g transform="translate(${index * (panel.width + panel.gap)} 0)">\n${axes(`${engine}, milliseconds`)}\n${lines(of)}\n</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${panel.height}" width="${width}" height="${panel.height}" font-family="sans-serif" font-size="11" fill="#222">
<title>Cost of a study in the job store by the number of studies that wait</title>
<rect width="100%" height="100%" fill="#fff"/>
${panels.join('\n')}
</svg>
`;
}
