import type { ObjectStore } from '../../src/sandbox/archive-store.ts';
import { memoryStore, readObject } from '../../src/sandbox/archive-store.ts';
import { mediaParameter, readMultipart, writeMultipart } from '../../src/sandbox/multipart.ts';
import { storeParts } from '../../src/sandbox/stow.ts';
import { editObject } from './edit-object.ts';
import { type Answer, type Exchange, jsonAnswer } from './exchange.ts';
import { lasting, type Misbehaviour, passing, refusal } from './misbehaviour.ts';
import { isStow, isWado } from './requests.ts';

/** What archives do wrong when they store and retrieve. */

const dicomJson = 'application/dicom+json';
const failureReason = '00081197';

interface Stow {
  readonly parts: readonly Uint8Array[];
  readonly boundary: string;
}

async function readStow(exchange: Exchange): Promise<Stow> {
  const contentType = exchange.request.get('content-type') ?? '';
  const parts = readMultipart(await exchange.body(), contentType) ?? [];
  return { parts: parts.map(({ bytes }) => bytes), boundary: mediaParameter(contentType, 'boundary') ?? 'simulator' };
}

/** What a good archive would answer, although nothing is kept. */
function pretend(parts: readonly Uint8Array[], store: ObjectStore = memoryStore()): Answer {
  const { status, body } = storeParts(
    parts.map((bytes) => ({ mediaType: 'application/dicom', bytes })),
    store,
    'http://127.0.0.1/dicom-web',
    null,
  );
  return jsonAnswer(status, dicomJson, body);
}

/** Every object listed as failed for a reason (PS3.18 table I.2-2). */
function failing(parts: readonly Uint8Array[], reason: number) {
  const items = parts.flatMap((bytes) => {
    const object = readObject(bytes);
    if (!object) return [];
    return [
      {
        '00081150': { vr: 'UI', Value: [object.SOPClassUID] },
        '00081155': { vr: 'UI', Value: [object.SOPInstanceUID] },
        [failureReason]: { vr: 'US', Value: [reason] },
      },
    ];
  });
  return { '00081198': { vr: 'SQ', Value: items } };
}

/** The first object is stored, all others are refused for now. */
export const partialStow: Misbehaviour = passing(
  'the first object stored, the others failed',
  async (exchange) => {
    const { parts, boundary } = await readStow(exchange);
    const [first, ...others] = parts;
    if (!first || others.length === 0) return exchange.send(await exchange.serve());
    exchange.replaceBody(writeMultipart([first], 'application/dicom', boundary));
    const answer = JSON.parse((await exchange.serve()).body.toString()) as object;
    exchange.send(jsonAnswer(202, dicomJson, { ...answer, ...failing(others, 0x0110) }));
  },
  isStow,
);

export const storedBut400: Misbehaviour = passing(
  '400 although all was stored',
  async ({ serve, send }) => {
    await serve();
    send(jsonAnswer(400, 'application/json', { HttpStatus: 400, Message: 'Bad request' }));
  },
  isStow,
);

export const notStoredBut200: Misbehaviour = passing(
  '200 although nothing was stored',
  async (exchange) => exchange.send(pretend((await readStow(exchange)).parts)),
  isStow,
);

/** Taken at once, seen after a while. */
export const storedLater = (store: ObjectStore, ms: number): Misbehaviour =>
  passing(
    `202, stored after ${ms} ms`,
    async (exchange) => {
      const { parts } = await readStow(exchange);
      setTimeout(() => pretend(parts, store), ms).unref();
      exchange.send(jsonAnswer(202, dicomJson, {}));
    },
    isStow,
  );

export const conflict409: Misbehaviour = passing(
  '409, processing failure',
  async (exchange) => exchange.send(jsonAnswer(409, dicomJson, failing((await readStow(exchange)).parts, 0x0110))),
  isStow,
);

/** 0122H: SOP class not supported. */
export const classRefused: Misbehaviour = lasting(
  '409, SOP class not supported',
  async (exchange) => exchange.send(jsonAnswer(409, dicomJson, failing((await readStow(exchange)).parts, 0x0122))),
  isStow,
);

/** Above a number of bytes; the request is read to its end, as proxies do that answer 413 politely. */
export const tooLarge = (maxBytes: number): Misbehaviour =>
  lasting(
    `413 above ${maxBytes} bytes`,
    async (exchange) => {
      if ((await exchange.body()).length > maxBytes) await refusal(413)(exchange);
      else exchange.send(await exchange.serve());
    },
    isStow,
  );

export const readOnly: Misbehaviour = passing('503, read-only', refusal(503), isStow);

/** The archive files what it stores under another patient. */
export const coercedPatient = (patientId: string): Misbehaviour =>
  lasting(
    'PatientID changed on store',
    async (exchange) => {
      const { parts, boundary } = await readStow(exchange);
      const edited = parts.map((bytes) => editObject(bytes, 'PatientID', patientId));
      exchange.replaceBody(writeMultipart(edited, 'application/dicom', boundary));
      exchange.send(await exchange.serve());
    },
    isStow,
  );

/** Right in form, but another SOP Instance UID stands in each part than the one asked for. */
export const wrongObject: Misbehaviour = lasting(
  'another object than asked for',
  async ({ serve, send }) => {
    const answer = await serve();
    const contentType = answer.headers['content-type'] ?? '';
    const parts = answer.status === 200 ? readMultipart(answer.body, contentType) : null;
    if (!parts) return send(answer);
    const others = parts.map(({ bytes }) => editObject(bytes, 'SOPInstanceUID', '2.25.404'));
    const boundary = mediaParameter(contentType, 'boundary') ?? 'simulator';
    send({ ...answer, body: writeMultipart(others, 'application/dicom', boundary) });
  },
  isWado,
);

/** Those of an archive alone that a chaos run may draw from. */
export const pacsMisbehaviours: readonly Misbehaviour[] = [
  partialStow,
  storedBut400,
  notStoredBut200,
  conflict409,
  classRefused,
  tooLarge(0),
  coercedPatient('COERCED'),
  wrongObject,
];
