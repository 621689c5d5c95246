/** Names that PS3.5 prints as examples (annexes H to K, edition 2025e): where, SpecificCharacterSet, bytes in hex, the name. */
export const examples: readonly (readonly [where: string, terms: string, bytes: string, name: string])[] = [
  [
    'H.3.1: kanji and hiragana in JIS X 0208',
    '\\ISO 2022 IR 87',
    '59616d6164615e5461726f753d 1b2442 3b334544 1b2842 5e 1b2442 42404f3a 1b2842 3d 1b2442 2464245e2440 1b2842 5e 1b2442 243f246d2426 1b2842',
    'Yamada^Tarou=山田^太郎=やまだ^たろう',
  ],
  [
    'H.3.2: half-width katakana in JIS X 0201 first',
    'ISO 2022 IR 13\\ISO 2022 IR 87',
    'd4cfc0de5ec0dbb33d 1b2442 3b334544 1b284a 5e 1b2442 42404f3a 1b284a 3d 1b2442 2464245e2440 1b284a 5e 1b2442 243f246d2426 1b284a',
    'ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう',
  ],
  [
    'I.2: hanja and hangul in KS X 1001',
    '\\ISO 2022 IR 149',
    '486f6e675e47696c646f6e673d 1b242943 fbf3 5e 1b242943 d1ced4d7 3d 1b242943 c8ab 5e 1b242943 b1e6b5bf',
    'Hong^Gildong=洪^吉洞=홍^길동',
  ],
  ['J.3: GB18030', 'GB18030', '57616e675e5869616f446f6e673d cdf5 5e d0a1b6ab 3d', 'Wang^XiaoDong=王^小东='],
  ['J.4: GBK', 'GBK', '57616e675e5869616f446f6e673d cdf5 5e d0a1b6ab 3d', 'Wang^XiaoDong=王^小东='],
  ['J.1: UTF-8', 'ISO_IR 192', '57616e675e5869616f446f6e673d e78e8b 5e e5b08fe4b89c 3d', 'Wang^XiaoDong=王^小东='],
  [
    'K.2: GB 2312 with code extensions',
    '\\ISO 2022 IR 58',
    '5a68616e675e5869616f446f6e673d 1b242941 d5c5 5e 1b242941 d0a1b6ab 3d',
    'Zhang^XiaoDong=张^小东=',
  ],
];
