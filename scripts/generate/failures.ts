import { type FailureClass, failures } from '../../src/core/failure.ts';

const classes: Readonly<Record<FailureClass, string>> = {
  skip: 'A rule says that the model must not read this; nothing is wrong.',
  quarantine: 'Stopped for a person; never tried again by itself.',
  transient: 'The peer certainly did not accept; tried again by itself, from 1 s to 10 min apart, for up to 72 hours.',
  ambiguous: 'The peer may have accepted; it is asked by UID, then the same bytes are sent again.',
  permanent: 'Trying again changes nothing until somebody mends a setting or a server.',
};

/** The page of all codes, from the one table of failures. */
export function failuresPage(): string {
  const sections = (Object.keys(classes) as FailureClass[]).map((name) => {
    const rows = Object.entries(failures).filter(([, row]) => row.class === name);
    const lines = rows.map(([code, { sentence }]) => `| \`${code}\` | ${sentence} |`);
    return [`## ${name}`, '', classes[name], '', '| code | what it means |', '|---|---|', ...lines].join('\n');
  });
  const intro =
    'Generated from `src/core/failure.ts` by `npm run generate`. The same codes stand in the log, the API and the metrics.';
  return `${['# Codes of failure', intro, ...sections].join('\n\n')}\n`;
}
