import type { ObjectStore } from '../../src/sandbox/archive-store.ts';
import { readObject } from '../../src/sandbox/archive-store.ts';
import type { Exchange } from './exchange.ts';
import { type Misbehaviour, passing } from './misbehaviour.ts';
import { isStudySearch } from './requests.ts';

/** How some archives answer every search: for a rule with `times: Infinity`. */

const parametersOf = ({ request }: Exchange): URLSearchParams =>
  new URL(request.originalUrl, 'http://simulator').searchParams;

/** Has the archive meet another query than the one that was asked. */
async function served(exchange: Exchange, change: (parameters: URLSearchParams) => void) {
  const parameters = parametersOf(exchange);
  change(parameters);
  exchange.request.url = `${exchange.request.path}?${parameters}`;
  return exchange.serve();
}

const habit = (name: string, change: (parameters: URLSearchParams) => void): Misbehaviour =>
  passing(
    name,
    async (exchange) => {
      const answer = await served(exchange, change);
      const { warning: _, ...headers } = answer.headers;
      exchange.send({ ...answer, headers });
    },
    isStudySearch,
  );

/** Pages end at `cap` rows without a word. */
export const silentCap = (cap: number): Misbehaviour =>
  habit(`pages of ${cap} rows at most`, (parameters) => {
    const limit = Number(parameters.get('limit') ?? cap);
    parameters.set('limit', String(Math.min(limit, cap)));
  });

export const offsetIgnored: Misbehaviour = habit('offset ignored', (parameters) => parameters.delete('offset'));

export const limitIgnored: Misbehaviour = habit('limit and offset ignored', (parameters) => {
  parameters.delete('limit');
  parameters.delete('offset');
});

export const includefieldIgnored: Misbehaviour = habit('includefield ignored', (parameters) =>
  parameters.delete('includefield'),
);

/** Rows stand newest first, and before every further page another study arrives, which moves all rows by one. */
export const shiftingPages = (store: ObjectStore, nextStudy: () => Uint8Array | null): Misbehaviour =>
  passing(
    'a study arrives between two pages',
    async (exchange) => {
      const asked = parametersOf(exchange);
      const [limit, offset] = [Number(asked.get('limit') ?? 1e9), Number(asked.get('offset') ?? 0)];
      const bytes = offset > 0 ? nextStudy() : null;
      const arriving = bytes && readObject(bytes);
      if (arriving) store.add(arriving);
      const answer = await served(exchange, (parameters) => {
        parameters.delete('limit');
        parameters.delete('offset');
      });
      const rows = (JSON.parse(answer.body.toString()) as unknown[]).reverse().slice(offset, offset + limit);
      exchange.send({ ...answer, body: Buffer.from(JSON.stringify(rows)) });
    },
    isStudySearch,
  );
