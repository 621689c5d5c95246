/** Text as html and svg: every value is encoded unless it is markup itself, so that a file's name is never anything but text. */
export interface Markup {
  readonly text: string;
}

type Value = string | number | Markup | readonly Markup[] | null;

export function markup(parts: TemplateStringsArray, ...values: readonly Value[]): Markup {
  return { text: parts.map((part, index) => part + encode(values[index] ?? null)).join('') };
}

function encode(value: Value): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return value.replace(/[&<>"']/g, (character) => entities[character]!);
  return 'text' in value ? value.text : value.map(({ text }) => text).join('');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
