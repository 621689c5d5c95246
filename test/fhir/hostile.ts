/** Values that somebody could write into a header to reach past the place where they belong; sixteen characters at most. */
const marks = [
  '|',
  ',',
  '$',
  '\\',
  '\\|',
  '\\\\',
  '&',
  '=',
  '%7C',
  '%2C',
  '#',
  '?',
  '+',
  ' ',
  '/',
  '../',
  '*',
  "'",
  '"',
  '<',
];
const wholes = ['<b>x</b>', '<!--', ']]>', '&amp;', '{{x}}', '$(x)', '\u202Ex', '山', '\u{1F600}', '__proto__'];

export const hostile: readonly string[] = [
  ...marks.flatMap((mark) => [`A${mark}B`, `${mark}${mark}x`]),
  ...wholes.flatMap((whole) => [whole, `x${whole}|y`]),
];
