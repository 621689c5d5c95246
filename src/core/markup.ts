/**
 * Text as markup: the one way by which values reach html and XHTML. `markup` is a template tag that encodes every value
 * but markup, so that a patient's name is never anything but text.
 */
export interface Markup {
  readonly text: string;
}

type Value = string | number | Markup | readonly Markup[] | null;

export function markup(parts: TemplateStringsArray, ...values: readonly Value[]): Markup {
  return { text: parts.map((part, index) => part + encode(values[index] ?? null)).join('') };
}

function encode(value: Value): string {
  if (value === null) return '';
  if (typeof value === 'string') return escapeText(value);
  if (typeof value === 'number') return String(value);
  return 'text' in value ? value.text : value.map(({ text }) => text).join('');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Encodes for text and for quoted attributes. What XML 1.0 (2.2) does not allow even encoded becomes U+FFFD. */
export function escapeText(text: string): string {
  return text
    .toWellFormed()
    .replace(/[&<>"']/g, (character) => entities[character]!)
    .replace(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, '\uFFFD');
}
