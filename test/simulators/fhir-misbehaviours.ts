import { outcomeOf } from '../../src/sandbox/fhir-refusal.ts';
import type { Entry } from '../../src/sandbox/fhir-transaction.ts';
import { type Answer, jsonAnswer } from './exchange.ts';
import { lasting, type Misbehaviour, passing } from './misbehaviour.ts';
import { isTransaction, isWrite } from './requests.ts';

/** What FHIR servers do wrong. */

const fhirJson = 'application/fhir+json;charset=UTF-8';

type Issue = Parameters<typeof outcomeOf>[0] | 'business-rule';

const outcome = (status: number, issue: Issue, text: string): Answer =>
  jsonAnswer(status, fhirJson, outcomeOf(issue as Parameters<typeof outcomeOf>[0], text));

export const versionConflict = (status: 409 | 412): Misbehaviour =>
  passing(`${status}, version conflict`, ({ send }) => send(outcome(status, 'conflict', 'version conflict')), isWrite);

/** 422 with an OperationOutcome, as from a server that validates against profiles. */
export const profileRejected: Misbehaviour = lasting(
  '422, profile rejection',
  ({ send }) => send(outcome(422, 'business-rule', 'DiagnosticReport.code: the profile asks for another one')),
  isWrite,
);

export const transactionsUnsupported: Misbehaviour = lasting(
  'transactions unsupported',
  ({ send }) => send(outcome(405, 'not-supported', 'This server takes no transactions.')),
  isTransaction,
);

interface Bundle {
  readonly entry?: readonly Entry[];
}

const bundleOf = async (body: () => Promise<Buffer>): Promise<Bundle> =>
  JSON.parse((await body()).toString('utf8')) as Bundle;

/** 200 with a good answer, and nothing stored. */
export const lostTransaction: Misbehaviour = passing(
  'transaction answered and lost',
  async ({ body, send }) => {
    const { entry = [] } = await bundleOf(body);
    const answers = entry.map(({ request, resource }) => ({
      response: {
        status: '201 Created',
        location: `${resource?.resourceType}/${resource?.id ?? request?.url?.split('/')[1] ?? '1'}/_history/1`,
        etag: '1',
      },
    }));
    send(jsonAnswer(200, fhirJson, { resourceType: 'Bundle', type: 'transaction-response', entry: answers }));
  },
  isTransaction,
);

/** Everything is stored; where it lies is not told. */
export const withoutLocation: Misbehaviour = passing(
  '201 without Location',
  async ({ serve, send }) => {
    const answer = await serve();
    const { location: _, ...headers } = answer.headers;
    const text = answer.body.toString('utf8').replaceAll(/"location":"[^"]*",?/g, '');
    send({ ...answer, headers, body: Buffer.from(text) });
  },
  isWrite,
);

/** Resources come under ids of the server, whatever the client asked for. */
export const idsRewritten: Misbehaviour = lasting(
  'ids rewritten',
  async ({ body, replaceBody, serve, send }) => {
    const bundle = await bundleOf(body);
    const entry = (bundle.entry ?? []).map((each) => ({
      ...each,
      request: { method: 'POST', url: each.resource?.resourceType ?? '' },
    }));
    const ours = new Map(
      (bundle.entry ?? []).map(({ resource, fullUrl }) => [`${resource?.resourceType}/${resource?.id}`, fullUrl]),
    );
    // References among the entries follow them to their new ids, as the specification wants for fullUrl.
    const text = JSON.stringify({ ...bundle, entry }).replaceAll(/"reference":"([^"]*)"/g, (all, reference: string) =>
      ours.has(reference) ? `"reference":"${ours.get(reference)}"` : all,
    );
    replaceBody(JSON.parse(text));
    send(await serve());
  },
  isTransaction,
);

function withoutExtensions(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutExtensions);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => name !== 'extension')
      .map(([name, inner]) => [name, withoutExtensions(inner)]),
  );
}

export const extensionsDropped: Misbehaviour = passing(
  'extensions dropped',
  async ({ body, replaceBody, serve, send }) => {
    replaceBody(withoutExtensions(await bundleOf(body)));
    send(await serve());
  },
  isWrite,
);

/** Date header and lastUpdated of a server whose clock is wrong by so much. */
export const clockSkew = (ms: number): Misbehaviour =>
  passing(`clock ${ms > 0 ? 'ahead' : 'behind'} by ${Math.abs(ms)} ms`, async ({ serve, send }) => {
    const answer = await serve();
    const skewed = (iso: string): string => new Date(Date.parse(iso) + ms).toISOString();
    const text = answer.body
      .toString('utf8')
      .replaceAll(/"(lastUpdated|lastModified)":"([^"]+)"/g, (_, name, iso) => `"${name}":"${skewed(iso)}"`);
    const headers = { ...answer.headers, date: new Date(Date.now() + ms).toUTCString() };
    send({ ...answer, headers, body: Buffer.from(text) });
  });

export const fhirMisbehaviours: readonly Misbehaviour[] = [
  versionConflict(409),
  versionConflict(412),
  profileRejected,
  transactionsUnsupported,
  lostTransaction,
  withoutLocation,
  idsRewritten,
  extensionsDropped,
  clockSkew(86_400_000),
  clockSkew(-86_400_000),
];
