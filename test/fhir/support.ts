import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import sharp from 'sharp';
import { identify } from '../../src/core/ids.ts';
import type { Artifact, Composition } from '../../src/core/ports.ts';
import type { Picture, Reading } from '../../src/core/reading.ts';
import type { ReportOptions } from '../../src/fhir/options.ts';
import { proceduresSchema } from '../../src/fhir/procedures.ts';
import { createHttp } from '../../src/net/client.ts';
import type { Http } from '../../src/net/http.ts';
import { parseCodes } from '../../src/outputs/codes.ts';
import { createFhirReport } from '../../src/outputs/fhir-report.ts';
import { makeReading } from '../support/readings.ts';

/** Compositions and servers for the tests of the FHIR side. */

const siteSecret = 'a secret of the tests';

const readJson = (path: string): unknown => JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8'));

export const procedures = proceduresSchema.parse(readJson('mappings/procedures.json'));

export const codes = parseCodes(readJson('mappings/codes.json'));

export const mrn = 'http://hospital.test/mrn';
export const accessions = 'http://hospital.test/accession';

export const reportOptions: ReportOptions = {
  patientIdentifierSystem: mrn,
  issuers: { NORTH: 'http://north.test/mrn', EAST: 'urn:oid:1.2.36.146.595.217.0.1' },
  accessionSystem: accessions,
  aiSecurityLabel: false,
  wadoRoot: 'http://pacs.test/dicom-web',
};

/** A film as grey as a chest, with a warm spot, as a real JPEG. */
export async function drawPicture(columns = 410, rows = 500): Promise<Picture> {
  const rgb = new Uint8Array(columns * rows * 3);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      const [x, y] = [column / columns, row / rows];
      const lung = Math.max(bump(x, y, 0.3, 0.45, 0.16, 0.3), bump(x, y, 0.7, 0.45, 0.16, 0.3));
      const grey = 190 - 150 * lung;
      const heat = bump(x, y, 0.68, 0.6, 0.12, 0.14);
      rgb.set([grey * (1 - heat) + 200 * heat, grey * (1 - heat), grey * (1 - heat)], (row * columns + column) * 3);
    }
  }
  const jpeg = await sharp(rgb, { raw: { width: columns, height: rows, channels: 3 } })
    .jpeg()
    .toBuffer();
  return { columns, rows, rgb, jpeg };
}

const bump = (x: number, y: number, cx: number, cy: number, sx: number, sy: number): number =>
  Math.exp(-(((x - cx) / sx) ** 2) - ((y - cy) / sy) ** 2);

export function compose(reading: Reading, picture: Picture | null = null): Composition {
  const pictures = picture ? reading.images.map(({ image }) => [image.SOPInstanceUID, picture]) : [];
  return {
    reading,
    identity: identify(reading, siteSecret),
    pictures: Object.fromEntries(pictures),
    codes,
    gateway: { manufacturer: 'cxr-gateway project', modelName: 'cxr-gateway', softwareVersion: '0.1.0' },
  };
}

export function bundleArtifact(reading: Reading = makeReading(), options: Partial<ReportOptions> = {}): Artifact {
  const [artifact] = createFhirReport({ procedures, report: { ...reportOptions, ...options } }).compose(
    compose(reading),
  );
  return artifact!;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface FakeServer {
  readonly root: string;
  /** `GET /fhir/Patient?identifier=…`, in the order of arrival. */
  readonly requests: readonly string[];
  close(): Promise<void>;
}

/** A FHIR server that answers what the test says. */
export async function startFake(
  answer: (method: string, url: URL, body: string, request: IncomingMessage) => Answer,
): Promise<FakeServer> {
  const requests: string[] = [];
  const server: Server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? '/', 'http://fake.test');
    requests.push(`${request.method} ${request.url}`);
    const {
      status,
      headers = {},
      body = '',
    } = answer(request.method ?? '', url, Buffer.concat(chunks).toString(), request);
    response.writeHead(status, { 'content-type': 'application/fhir+json', ...headers }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    root: `http://127.0.0.1:${(server.address() as AddressInfo).port}/fhir`,
    requests,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The gateway's own HTTP for one FHIR server. */
export const openHttp = (root: string): Http =>
  createHttp({
    peer: 'fhir',
    roots: [root],
    credentials: { kind: 'none' },
    ca: null,
    timeoutMs: 60_000,
    maxBytes: 64 * 1024 * 1024,
    maxInFlight: 2,
  });
