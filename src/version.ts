import { readFileSync } from 'node:fs';

/** Version in package.json, which lies beside src/ and beside dist/. */
export function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
}

/** Ends with 78 and a hint on a Node that is too old. */
export function requireNode(major: number): void {
  const [running] = process.versions.node.split('.');
  if (Number(running) >= major) return;
  console.error(`cxr-gateway needs Node ${major} or newer; this is ${process.versions.node}.`);
  console.error('In a clone, `npm ci` brings Node 24 and `npm start -- …` runs with it.');
  process.exit(78);
}
