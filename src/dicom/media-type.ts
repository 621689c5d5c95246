/** Media types as servers write them (RFC 9110 8.3.1), read leniently: Orthanc 1.7 leaves a quote open to a second parameter. */

export interface MediaType {
  /** Lower case; `''` when there is none. */
  readonly type: string;
  /** By lower-case name; the first of two with one name counts. */
  readonly parameters: ReadonlyMap<string, string>;
}

const longestHeader = 2048;

export function mediaTypeOf(header: string | null): MediaType {
  const [head = '', ...rest] = splitOutsideQuotes((header ?? '').slice(0, longestHeader));
  const parameters = new Map<string, string>();
  for (const parameter of rest) {
    const at = parameter.indexOf('=');
    const name = parameter.slice(0, Math.max(at, 0)).trim().toLowerCase();
    if (name !== '' && !parameters.has(name)) parameters.set(name, unquoted(parameter.slice(at + 1).trim()));
  }
  return { type: head.trim().toLowerCase(), parameters };
}

function splitOutsideQuotes(text: string): string[] {
  const parts = [''];
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const letter = text[i]!;
    if (quoted && letter === '\\') parts[parts.length - 1] += letter + (text[++i] ?? '');
    else if (letter === ';' && !quoted) parts.push('');
    else {
      if (letter === '"') quoted = !quoted;
      parts[parts.length - 1] += letter;
    }
  }
  return parts;
}

function unquoted(value: string): string {
  if (!value.startsWith('"')) return value;
  const inner = value.endsWith('"') && value.length > 1 ? value.slice(1, -1) : value.slice(1);
  return inner.replace(/\\(.)/g, '$1');
}
