import { isHung, turnOf } from '../core/orientation.ts';
import type { View } from '../core/reading.ts';
import type { Dataset } from '../core/study.ts';
import { text } from './dataset.ts';
import { patientOrientation } from './header.ts';
import { type Gate, type Refusal, refuse } from './select-gate.ts';
import { imageTexts } from './select-image.ts';
import { type SelectionRules, type ViewKind, viewKinds } from './select-rules.ts';
import { conceptsOf, isOneOf, phraseIn, quote, quoteConcept, quoteWord } from './select-words.ts';

/** Which projection the header names: ViewCodeSequence, ViewPosition, PatientOrientation and the texts, compared. */

interface Statement {
  readonly view: ViewKind;
  /** The tag value that says so. */
  readonly quote: string;
}

const isFrontal = (view: ViewKind): view is View => view === 'PA' || view === 'AP' || view === 'frontal';

export const frontalOnly: Gate = (header, { rules }) => {
  const view = viewOf(header, rules);
  return typeof view === 'string' ? null : view;
};

/**
 * The view, or why there is none. The order of trust is ViewCodeSequence, ViewPosition, texts of the image; since they
 * must not disagree, the order only matters for how exact the answer is. StudyDescription is asked when all others are
 * silent, because it names every view of the study.
 */
export function viewOf(header: Dataset, rules: SelectionRules): View | Refusal {
  const said = [...codedViews(header, rules), ...turned(header), ...textViews(header, imageTexts, rules)];
  const statements = said.length > 0 ? said : textViews(header, ['StudyDescription'], rules);
  const quotes = statements.map((statement) => statement.quote);
  const views = new Set(statements.map(({ view }) => view));
  const frontal = [...views].filter(isFrontal);
  if (views.size === 0) {
    if (rules.options.unknownView === 'read') return 'frontal';
    return refuse('view-unknown', quote(header, 'ViewPosition'), 'no code and no text names a view');
  }
  if (frontal.length === 0) return refuse('not-frontal', ...quotes);
  if (frontal.length < views.size || (views.has('PA') && views.has('AP'))) return refuse('view-conflict', ...quotes);
  return frontal.find((view) => view !== 'frontal') ?? 'frontal';
}

function codedViews(header: Dataset, { views }: SelectionRules): readonly Statement[] {
  const codes = conceptsOf(header, 'ViewCodeSequence').flatMap((concept) => {
    const row = views.codes.find(({ SCT, SRT }) =>
      isOneOf(concept, [{ scheme: 'SCT', value: SCT }, ...SRT.map((value) => ({ scheme: 'SRT', value }))]),
    );
    return row ? [{ view: row.view, quote: quoteConcept('ViewCodeSequence', concept) }] : [];
  });
  const position = text(header, 'ViewPosition');
  if (position === null) return codes;
  const term = position
    .toUpperCase()
    .replace(/[^A-Z0-9]+/g, ' ')
    .trim();
  const view = viewKinds.find((kind) => views.positions[kind].includes(term)) ?? viewInText(position, views.words);
  return view ? [...codes, { view, quote: quote(header, 'ViewPosition') }] : codes;
}

/** A text that names several views tells of a series or an order, not of this image. */
function viewInText(value: string | null, words: SelectionRules['views']['words']): ViewKind | null {
  const named = viewKinds.filter((kind) => phraseIn(value, words[kind]) !== null);
  const exact = named.filter((kind) => kind !== 'frontal');
  const [only, second] = exact.length > 0 && exact.every(isFrontal) ? exact : named;
  return only !== undefined && second === undefined ? only : null;
}

function textViews(
  header: Dataset,
  keywords: readonly ((typeof imageTexts)[number] | 'StudyDescription')[],
  { views }: SelectionRules,
): readonly Statement[] {
  return keywords.flatMap((keyword) => {
    const value = text(header, keyword);
    const view = viewInText(value, views.words);
    const phrase = view && phraseIn(value, views.words[view]);
    return view && phrase ? [{ view, quote: quoteWord(keyword, phrase) }] : [];
  });
}

/** Rows or columns run forwards or backwards through the patient: the film was taken from the side (PS3.3 C.7.6.1.1.1). */
function turned(header: Dataset): readonly Statement[] {
  const sideOn = patientOrientation(header)?.some((direction) => /^[AP]/.test(direction)) ?? false;
  return sideOn ? [{ view: 'lateral', quote: orientationQuote(header) }] : [];
}

/** Main directions alone, as a film that is a little tilted has them too. */
const orientationQuote = (header: Dataset): string =>
  `PatientOrientation=${(patientOrientation(header) ?? []).map((direction) => direction.charAt(0)).join('\\')}`;

/** A film that lies mirrored or turned is hung before it is read, unless the site wants none; other directions no film has. */
export const hungAsSeen: Gate = (header, { rules }) => {
  const orientation = patientOrientation(header);
  const turn = orientation && turnOf(orientation);
  if (orientation === null || (turn && (rules.options.turnedFilms === 'read' || isHung(turn)))) return null;
  return refuse('mirrored', orientationQuote(header));
};
