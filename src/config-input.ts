/**
 * From what a person wrote (a file, the environment, flags) to one plain object for the schema.
 * Keys are looked up in the JSON Schema of the configuration, so that a new option needs no line here.
 */

export interface SchemaNode {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode | boolean;
  readonly anyOf?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
}

export type Plain = Readonly<Record<string, unknown>>;

/** A key or value that cannot be used, for the person who wrote it. */
export interface InputFault {
  readonly where: string;
  readonly expected: string;
  readonly got: string;
}

const environmentPrefix = 'CXR_GATEWAY__';

const loose = (key: string): string => key.toLowerCase().replaceAll('_', '');

/** The schema below a key, or null: names match without case and underscores. */
function child(node: SchemaNode, key: string): { readonly key: string; readonly node: SchemaNode } | null {
  for (const option of [node, ...(node.anyOf ?? []), ...(node.oneOf ?? [])]) {
    const found = Object.keys(option.properties ?? {}).find((name) => loose(name) === loose(key));
    if (found) return { key: found, node: option.properties![found]! };
    if (typeof option.additionalProperties === 'object') return { key, node: option.additionalProperties };
  }
  return null;
}

/** All keys that may stand in an object of this node. */
export function keysOf(node: SchemaNode): readonly string[] {
  return [node, ...(node.anyOf ?? []), ...(node.oneOf ?? [])].flatMap((option) => Object.keys(option.properties ?? {}));
}

export function nodeAt(schema: SchemaNode, path: readonly PropertyKey[]): SchemaNode | null {
  let node: SchemaNode | null = schema;
  for (const key of path) node = node && (child(node, String(key))?.node ?? null);
  return node;
}

/** A text as the type that the schema wants: numbers, booleans and JSON are recognised, all else stays text. */
function typed(text: string, node: SchemaNode): unknown {
  const options = [node, ...(node.anyOf ?? []), ...(node.oneOf ?? [])];
  const types = options.flatMap(({ type }) => type ?? []);
  if (types.includes('string') && !types.includes('number') && !types.includes('integer')) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

interface Setting {
  /** As the person wrote it, for messages. */
  readonly name: string;
  readonly path: readonly string[];
  readonly text: string;
}

/** Settings given one by one, such as `pacs.url=…` or `CXR_GATEWAY__PACS__URL`, as an object. */
export function assemble(
  settings: readonly Setting[],
  schema: SchemaNode,
): { readonly value: unknown; readonly faults: readonly InputFault[] } {
  const placed = settings.map((setting) => place(setting, setting.path, schema));
  return {
    value: placed.reduce<unknown>((value, { tree }) => overlay(value, tree), {}),
    faults: placed.flatMap(({ fault }) => fault ?? []),
  };
}

/** One setting as a tree of its own, under the schema's spelling of its keys. */
function place(setting: Setting, path: readonly string[], node: SchemaNode): { tree?: unknown; fault?: InputFault } {
  const [part, ...rest] = path;
  if (part === undefined) return { tree: typed(setting.text, node) };
  const found = child(node, part);
  if (!found) return { fault: unknownKey(setting.name, part, node) };
  const { tree, fault } = place(setting, rest, found.node);
  return fault ? { fault } : { tree: { [found.key]: tree } };
}

export function fromEnvironment(environment: Readonly<Record<string, string | undefined>>): readonly Setting[] {
  return Object.entries(environment).flatMap(([name, text]) =>
    name.startsWith(environmentPrefix) && text !== undefined
      ? [{ name, path: name.slice(environmentPrefix.length).split('__'), text }]
      : [],
  );
}

/** Flags of the form `key.key=value`. */
export function fromFlags(flags: readonly string[]): readonly Setting[] {
  return flags.map((flag) => {
    const [key = '', ...rest] = flag.split('=');
    return { name: `--set ${key}`, path: key.split('.'), text: rest.join('=') };
  });
}

/** Later objects win, key by key; arrays and plain values are replaced whole. */
export function overlay(under: unknown, over: unknown): unknown {
  if (!isPlain(under) || !isPlain(over)) return over === undefined ? under : over;
  const keys = new Set([...Object.keys(under), ...Object.keys(over)]);
  return Object.fromEntries([...keys].map((key) => [key, overlay(under[key], over[key])]));
}

const isPlain = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export function unknownKey(where: string, key: string, node: SchemaNode | null): InputFault {
  const known = node ? keysOf(node) : [];
  const near = nearest(key, known);
  const expected = near ? `did you mean ${near}?` : `one of ${known.join(', ') || 'no keys'}`;
  return { where, expected, got: `unknown key ${key.slice(0, 60)}` };
}

/** The known word at the smallest edit distance, if it is near enough to be a slip. */
export function nearest(word: string, known: readonly string[]): string | null {
  const ranked = known
    .map((candidate) => ({ candidate, distance: editDistance(loose(word), loose(candidate)) }))
    .sort((a, b) => a.distance - b.distance);
  const [best] = ranked;
  return best && best.distance <= Math.max(2, Math.floor(word.length / 3)) ? best.candidate : null;
}

/** Levenshtein distance of two short words. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, substitution));
    }
    row = next;
  }
  return row[b.length]!;
}
