import { z } from 'zod';
import { Failure } from '../core/failure.ts';

/** The rules of selection as data: what `mappings/selection.json` and `mappings/views.json` hold, and what a site may set. */

const words = z.array(z.string().regex(/^\*?[\p{L}\p{N}]+\*?( [\p{L}\p{N}]+\*?)*$/u)).readonly();
const coded = z
  .array(z.strictObject({ scheme: z.string().min(1), value: z.string().min(1), meaning: z.string().min(1) }))
  .readonly();
const sopClasses = z
  .array(z.strictObject({ uid: z.string().regex(/^[0-9.]{1,64}$/), name: z.string().min(1) }))
  .min(1)
  .readonly();
const codeStrings = z.array(z.string().regex(/^[A-Z0-9_ ]{1,16}$/)).readonly();

/** Shape of `mappings/selection.json`. */
export const selectionRulesSchema = z.strictObject({
  edition: z.string().min(1),
  sopClasses: z.strictObject({
    read: sopClasses,
    forProcessing: sopClasses,
    secondaryCapture: sopClasses,
    rejectionNote: sopClasses,
  }),
  modalities: codeStrings,
  /** How our own objects name their maker; the gateway's identity must stand here. */
  ownEquipment: z.strictObject({
    manufacturers: z.array(z.string().min(1)).min(1).readonly(),
    modelNames: z.array(z.string().min(1)).readonly(),
  }),
  /** Values of ConversionType of pictures that no detector made. */
  drawnConversionTypes: codeStrings,
  derived: z.strictObject({ imageTypeWords: words, words, codes: coded }),
  qualityControl: z.strictObject({ words, humanWords: words, humanCodes: coded, phantomCodes: coded }),
  /** Smallest matrix that a model may be given, in pixels. */
  minimum: z.strictObject({ rows: z.int().positive(), columns: z.int().positive() }),
  photometricInterpretations: codeStrings,
  bodyPart: z.strictObject({
    chestCodes: coded,
    chestTerms: codeStrings,
    unspecificTerms: codeStrings,
    chestWords: words,
    otherWords: words,
  }),
  rejectionTitles: coded,
});

export const viewKinds = ['PA', 'AP', 'frontal', 'lateral', 'oblique', 'other'] as const;
export type ViewKind = (typeof viewKinds)[number];

const byView = <T extends z.ZodType>(values: T) =>
  z.strictObject({ PA: values, AP: values, frontal: values, lateral: values, oblique: values, other: values });

/** Shape of `mappings/views.json`. */
export const viewRulesSchema = z.strictObject({
  edition: z.string().min(1),
  codes: z
    .array(
      z.strictObject({
        view: z.enum(viewKinds),
        meaning: z.string().min(1),
        SCT: z.string().regex(/^[0-9]{6,18}$/),
        SRT: z.array(z.string().regex(/^[A-Z]-[0-9A-F]{4,5}$/)).readonly(),
      }),
    )
    .readonly(),
  positions: byView(codeStrings),
  words: byView(words),
});

/** The lists of words that a site may add to or take from. */
const wordLists = ['chest', 'otherParts', 'derived', 'derivedImageTypes', 'qualityControl', ...viewKinds] as const;
type WordList = (typeof wordLists)[number];

const siteWords = z.partialRecord(z.enum(wordLists), words).default({});
type SiteWords = Readonly<z.infer<typeof siteWords>>;

const readOrSkip = z.enum(['read', 'skip']);

/** What a site may decide about selection: the `selection` section of the configuration. */
export const selectionOptionsSchema = z.strictObject({
  minAgeYears: z
    .int()
    .min(0)
    .max(120)
    .nullable()
    .default(18)
    .describe('Youngest patient that is read, in whole years; null reads every age.'),
  unknownAge: readOrSkip.default('read').describe('What to do when neither PatientAge nor the dates tell the age.'),
  maxStudyAgeDays: z
    .int()
    .positive()
    .nullable()
    .default(7)
    .describe('Oldest study that is read, in days by StudyDate; null reads every study.'),
  acceptForProcessing: z
    .boolean()
    .default(false)
    .describe('Whether FOR PROCESSING images are read where no FOR PRESENTATION image of the exposure exists.'),
  acceptSecondaryCaptureModality: z
    .boolean()
    .default(false)
    .describe(
      'Whether films of modality CR or DX in a Secondary Capture class are read, when body part and view are coded.',
    ),
  unknownView: readOrSkip.default('skip').describe('What to do when nothing in the header tells the view.'),
  turnedFilms: readOrSkip
    .default('read')
    .describe(
      'What to do with a film that PatientOrientation says to be mirrored or turned; it is read as it is hung.',
    ),
  unknownBodyPart: readOrSkip.default('skip').describe('What to do when nothing in the header tells the body part.'),
  duplicateExposure: readOrSkip
    .default('skip')
    .describe('What to do with an image of an exposure that another image of the study shows better.'),
  qualityControlPatientIds: z
    .array(z.string().min(2).max(64).regex(/[^*]/, 'a pattern that does not fit everyone'))
    .readonly()
    .default(['QC-*', 'QC_*', 'PHANTOM*'])
    .describe('Patient IDs of phantoms and test objects; * matches anything. Letter case does not matter.'),
  addWords: siteWords.describe(
    'Words of this site for a list of the rules. They are matched whole, without accents; * at an end matches anything.',
  ),
  removeWords: siteWords.describe('Words of the rules that mean something else at this site, as they stand there.'),
});

export type SelectionOptions = Readonly<z.infer<typeof selectionOptionsSchema>>;

/**
 * What is decided for files that a person hands in (`read`): their age is that person's business, each of them gets its
 * answer, and a film in a Secondary Capture class is not there by the gateway's own doing. Spread over the site's options.
 */
export const fileSelectionOptions = {
  maxStudyAgeDays: null,
  acceptSecondaryCaptureModality: true,
  duplicateExposure: 'read',
} as const satisfies Partial<SelectionOptions>;

export interface SelectionRules {
  readonly images: z.infer<typeof selectionRulesSchema>;
  readonly views: z.infer<typeof viewRulesSchema>;
  readonly options: SelectionOptions;
}

/** Rules from the parsed content of both mapping files and the site's options. Raises `config-invalid` with the path. */
export function createSelectionRules(selection: unknown, views: unknown, options: unknown = {}): SelectionRules {
  const site = parse(selectionOptionsSchema, options, 'selection');
  const images = parse(selectionRulesSchema, selection, 'mappings/selection.json');
  const rules = parse(viewRulesSchema, views, 'mappings/views.json');
  const of = (list: WordList, standing: readonly string[]) => wordsOfSite(list, standing, site);
  const { bodyPart, derived, qualityControl } = images;
  return {
    images: {
      ...images,
      bodyPart: {
        ...bodyPart,
        chestWords: of('chest', bodyPart.chestWords),
        otherWords: of('otherParts', bodyPart.otherWords),
      },
      derived: {
        ...derived,
        words: of('derived', derived.words),
        imageTypeWords: of('derivedImageTypes', derived.imageTypeWords),
      },
      qualityControl: { ...qualityControl, words: of('qualityControl', qualityControl.words) },
    },
    views: {
      ...rules,
      words: Object.fromEntries(
        viewKinds.map((kind) => [kind, of(kind, rules.words[kind])]),
      ) as (typeof rules)['words'],
    },
    options: site,
  };
}

/** A word that is to go and is not there is a misspelling, or one that a later edition has dropped. */
function wordsOfSite(
  list: WordList,
  standing: readonly string[],
  { addWords, removeWords }: { readonly addWords: SiteWords; readonly removeWords: SiteWords },
): readonly string[] {
  const gone = removeWords[list] ?? [];
  const missing = gone.find((word) => !standing.includes(word));
  if (missing !== undefined) {
    const where = `selection.removeWords.${list}`;
    throw new Failure('config-invalid', { where, expected: `one of: ${standing.join(', ')}`, got: missing });
  }
  return [...standing.filter((word) => !gone.includes(word)), ...(addWords[list] ?? [])];
}

function parse<T extends z.ZodType>(schema: T, value: unknown, where: string): z.infer<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path = [where, ...(issue?.path ?? [])].map(String).join('.');
  throw new Failure('config-invalid', { where: path, expected: issue?.message ?? 'valid rules' });
}
