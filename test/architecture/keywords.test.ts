import { DicomMetaDictionary } from '../../src/dicom/dcmjs.ts';
import { keywords } from '../../src/dicom/keywords.ts';

/** How dcmjs writes the VRs that depend on another attribute, and what our table may choose (PS3.6: `US or SS`, `OB or OW`). */
const choices: Readonly<Record<string, readonly string[]>> = {
  xs: ['US', 'SS'],
  ox: ['OB', 'OW'],
  lt: ['US', 'OW'],
};

describe('the keyword table', () => {
  test.each(Object.entries(keywords))(
    '%s agrees with dcmjs’ dictionary, because a wrong tag reads another attribute',
    (keyword, [tag, vr]) => {
      const entry = DicomMetaDictionary.nameMap[keyword];
      expect(entry?.tag.replace(/[(),]/g, '')).toBe(tag);
      expect(choices[entry?.vr ?? ''] ?? [entry?.vr]).toContain(vr);
    },
  );

  test('has every tag once', () => {
    const tags = Object.values(keywords).map(([tag]) => tag);
    expect(new Set(tags).size).toBe(tags.length);
  });
});
