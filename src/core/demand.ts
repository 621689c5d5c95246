/** What a person must give as the reason of a replay or a retraction. */

const [least, most] = [3, 200];

/** One line of readable text (no control character, no half of a pair): it goes into objects that others read. */
export function isReason(text: string): boolean {
  const length = [...text.trim()].length;
  return length >= least && length <= most && !/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\ufffd]/u.test(text);
}

export const reasonExpected = `${least} to ${most} characters in one line`;
