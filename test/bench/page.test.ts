import { type Made, renderSection, withSection } from '../../bench/page.ts';

/** The tables of docs/performance.md are written by the benchmark itself. */

const made: Made = {
  machine: { model: 'Processor', cores: 2, node: 'v24', load: 0.5 },
  date: new Date('2026-11-25T12:00:00Z'),
  rounds: 5,
  withPeers: true,
  model: null,
};

const page =
  'a\n<!-- bench read -->\nold\n<!-- /bench read -->\nb\n<!-- bench jobs -->\njobs\n<!-- /bench jobs -->\nc\n';

test('a section tells machine, day and command, because figures without them are none', () => {
  const row = { id: 'w', what: 'w', value: 1, unit: 'ms' };
  const section = renderSection('read', [{ name: 'n', about: 'a', rows: [row] }], made);
  expect(section.split('\n')[0]).toBe(
    '25 November 2026: Processor, 2 cores, Node v24, load average 0.50 at the start; `npm run bench -- read --rounds 5 --peers PYTHON`.',
  );
  expect(section).toContain('| w | 1 ms |');
});

test('one benchmark replaces its own tables and nothing else, because the others were not run', () => {
  const replaced = withSection(page, 'read', 'new');
  expect(replaced).toBe(page.replace('old', 'new'));
  expect(withSection(replaced, 'read', 'new')).toBe(replaced);
});

test('a page without the marks is refused and not written to', () => {
  expect(() => withSection(page, 'decode', 'new')).toThrow('no <!-- bench decode -->');
  expect(() => withSection('<!-- /bench jobs --><!-- bench jobs -->', 'jobs', 'new')).toThrow(TypeError);
});
