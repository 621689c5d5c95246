import { parseSync } from '@swc/core';

/** What a source file reaches for, read from its syntax tree: @swc/core parses TypeScript, TypeScript 7 has no compiler API. */

export interface Reach {
  /** Module specifiers of imports of every kind; null where the specifier is computed and cannot be checked. */
  readonly imports: readonly Import[];
  readonly readsEnvironment: boolean;
  /** Clocks and sources of randomness, by the words in the source. */
  readonly effects: readonly string[];
}

export interface Import {
  readonly specifier: string | null;
  /** Imported names; empty for side effects, namespaces and dynamic imports. */
  readonly names: readonly string[];
}

type Tree = Readonly<Record<string, unknown>>;

export function reachOf(source: string): Reach {
  const nodes = [...nodesOf(parseSync(source, { syntax: 'typescript', target: 'es2024' }))];
  return {
    imports: nodes.flatMap((node) => importOf(node) ?? []),
    readsEnvironment: nodes.some(readsEnvironment),
    effects: nodes.flatMap((node) => effectOf(node) ?? []),
  };
}

const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null;

function* nodesOf(value: unknown): Generator<Tree> {
  if (!isTree(value)) return;
  if (typeof value['type'] === 'string') yield value;
  for (const child of Object.values(value)) yield* nodesOf(child);
}

function importOf(node: Tree): Import | null {
  switch (node['type']) {
    case 'ImportDeclaration':
    case 'ExportAllDeclaration':
      return { specifier: stringOf(node['source']), names: namesOf(node) };
    case 'ExportNamedDeclaration':
      return isTree(node['source']) ? { specifier: stringOf(node['source']), names: namesOf(node) } : null;
    case 'TsImportType':
      return { specifier: stringOf(node['argument']), names: [] };
    case 'TsExternalModuleReference':
      return { specifier: stringOf(node['expression']), names: [] };
    case 'CallExpression':
      return isLoader(node['callee']) ? { specifier: firstArgument(node), names: [] } : null;
    default:
      return null;
  }
}

/** `import(…)`, `require(…)`, `require.resolve(…)` and `import.meta.resolve(…)`. */
function isLoader(callee: unknown): boolean {
  if (!isTree(callee)) return false;
  if (callee['type'] === 'Import' || isNamed(callee, 'require')) return true;
  const { object } = callee;
  const resolves = callee['type'] === 'MemberExpression' && isNamed(callee['property'], 'resolve');
  return resolves && (isNamed(object, 'require') || (isTree(object) && object['type'] === 'MetaProperty'));
}

function firstArgument(call: Tree): string | null {
  const [first] = call['arguments'] as readonly { readonly expression: unknown }[];
  return stringOf(first?.expression);
}

const stringOf = (node: unknown): string | null =>
  isTree(node) && node['type'] === 'StringLiteral' ? String(node['value']) : null;

const isNamed = (node: unknown, name: string): boolean =>
  isTree(node) && node['type'] === 'Identifier' && node['value'] === name;

function namesOf(node: Tree): readonly string[] {
  const specifiers = (node['specifiers'] ?? []) as readonly Tree[];
  return specifiers.flatMap((specifier) => {
    const named = specifier['imported'] ?? specifier['orig'] ?? specifier['local'];
    return isTree(named) && typeof named['value'] === 'string' ? [named['value']] : [];
  });
}

/** `process.env`, `process['env']`, `const { env } = process`, `import … from 'node:process'`. */
function readsEnvironment(node: Tree): boolean {
  if (node['type'] === 'MemberExpression') return isNamed(node['object'], 'process') && propertyOf(node) === 'env';
  if (node['type'] === 'VariableDeclarator') {
    return isNamed(node['init'], 'process') && isTree(node['id']) && node['id']['type'] === 'ObjectPattern';
  }
  return ['node:process', 'process'].includes(importOf(node)?.specifier ?? '');
}

function propertyOf(member: Tree): string | null {
  const { property } = member;
  if (!isTree(property)) return null;
  if (property['type'] === 'Computed') return stringOf(property['expression']);
  return property['type'] === 'Identifier' ? String(property['value']) : null;
}

const timers = ['setTimeout', 'setInterval', 'setImmediate', 'performance'];
const members = ['Math.random', 'Date.now', 'crypto.randomUUID', 'crypto.getRandomValues'];
const randomImports = /^random/;

function effectOf(node: Tree): string | null {
  if (node['type'] === 'NewExpression' && isNamed(node['callee'], 'Date')) {
    return (node['arguments'] as readonly unknown[] | null)?.length ? null : 'new Date()';
  }
  if (node['type'] === 'MemberExpression' && isTree(node['object'])) {
    const path = `${String(node['object']['value'])}.${propertyOf(node)}`;
    return members.includes(path) ? path : null;
  }
  const random = importOf(node)?.names.find((name) => randomImports.test(name));
  if (random !== undefined) return random;
  return node['type'] === 'Identifier' && timers.includes(String(node['value'])) ? String(node['value']) : null;
}
