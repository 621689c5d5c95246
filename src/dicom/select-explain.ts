import type { Chosen } from '../core/ports.ts';
import type { Dataset, Instance } from '../core/study.ts';
import { has } from './dataset.ts';
import { type Keyword, keywords } from './keywords.ts';
import { gates, type SelectionContext, select } from './select.ts';
import type { Circumstances, Refusal } from './select-gate.ts';
import { rejectedUids } from './select-rejection.ts';
import type { SelectionRules } from './select-rules.ts';
import { conceptsOf, quote, quoteConcept } from './select-words.ts';

/** Why an image is read or not, for a person who asks: what every rule says of it, and the values that the rule looked at. */

export interface RuleAnswer {
  readonly rule: keyof typeof gates;
  /** Null: the rule has nothing against the image. */
  readonly refusal: Refusal | null;
  /** `ViewPosition=PA`, `PatientAge present`: code strings and codes as they are, of all else only whether it is there. */
  readonly looked: readonly string[];
}

export interface Explanation extends Chosen {
  /** Of all rules, also those behind the one that decided; empty where there is no header. */
  readonly rules: readonly RuleAnswer[];
}

/** The choice of `select` for every object of a study, with what led to it. */
export function explainStudy(
  instances: readonly Instance[],
  rules: SelectionRules,
  context: SelectionContext,
): readonly Explanation[] {
  const circumstances = { rules, context, rejected: rejectedUids(instances, rules) };
  return select(instances, rules, context).map((chosen) => ({
    ...chosen,
    rules: chosen.instance.header === null ? [] : explain(chosen.instance.header, circumstances),
  }));
}

/** What every rule says of one header. Duplicate exposures are no matter of one header. */
export function explain(header: Dataset, circumstances: Circumstances): readonly RuleAnswer[] {
  const names = Object.keys(gates) as (keyof typeof gates)[];
  return names.map((rule) => {
    const tags = new Set<string>();
    const refusal = gates[rule](watched(header, tags), circumstances);
    return { rule, refusal, looked: [...tags].flatMap((tag) => valueToTell(header, tag)) };
  });
}

/** The header, with the tags that are asked of it. */
const watched = (header: Dataset, tags: Set<string>): Dataset =>
  new Proxy(header, {
    get(target, tag) {
      if (typeof tag === 'string') tags.add(tag);
      return Reflect.get(target, tag);
    },
  });

const keywordsByTag = new Map(Object.entries(keywords).map(([keyword, [tag]]) => [tag as string, keyword as Keyword]));
/** What has one of these holds a term of the standard or a number, if the writer kept to it. */
const plainVrs: readonly string[] = ['CS', 'IS', 'US'];

/** Identifiers, ages, dates and texts are a patient's: they are never told. */
function valueToTell(header: Dataset, tag: string): readonly string[] {
  const keyword = keywordsByTag.get(tag);
  if (keyword === undefined) return [];
  const [, vr] = keywords[keyword];
  if (!has(header, keyword)) return [`${keyword} absent`];
  if (plainVrs.includes(vr) || keyword === 'SOPClassUID') return [quote(header, keyword)];
  const concepts = conceptsOf(header, keyword);
  return concepts.length > 0 ? concepts.map((concept) => quoteConcept(keyword, concept)) : [`${keyword} present`];
}
