import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Failure } from '../../src/core/failure.ts';
import { sha256 } from '../../src/core/ids.ts';
import type { Artifact } from '../../src/core/ports.ts';
import { createFolder, createFolderDestination, filesBelow, scanFolder } from '../../src/dicom/folder.ts';
import { datasetOf } from './film-header.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cxr-folder-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A reader for files that hold `study|patient`; anything else is not DICOM. */
const reader = {
  header: async (path: string) => {
    const [StudyInstanceUID = '', PatientID] = (await readFile(path, 'utf8')).split('|');
    if (PatientID === undefined) throw new Failure('not-dicom', { where: 'preamble' });
    return datasetOf({ StudyInstanceUID, PatientID });
  },
};

const put = async (path: string, content: string): Promise<string> => {
  const full = join(folder, path);
  await mkdir(join(full, '..'), { recursive: true });
  await writeFile(full, content);
  return full;
};

describe('files below paths', () => {
  test('are listed once and sorted, because two runs must number the studies alike', async () => {
    const [b, a, deep] = [await put('b', ''), await put('a', ''), await put('c/d/e', '')];
    expect(await filesBelow([folder, b, join(folder, 'c')])).toEqual([a, b, deep]);
  });

  test('end, although links make a circle', async () => {
    const file = await put('x/film', '');
    await symlink(folder, join(folder, 'x/loop'));
    await symlink(join(folder, 'self'), join(folder, 'self'));
    await symlink(join(folder, 'nowhere'), join(folder, 'dangling'));
    expect(await filesBelow([folder])).toEqual([file]);
  });

  test('pass over hidden entries of a folder, but not one that a person names', async () => {
    const hidden = await put('.hidden', '');
    const seen = await put('film', '');
    expect(await filesBelow([folder])).toEqual([seen]);
    expect(await filesBelow([hidden])).toEqual([hidden]);
  });
});

describe('a scanned folder', () => {
  test('groups files by study and keeps what cannot be parsed, because every file gets its line', async () => {
    const a2 = await put('1', '1.2|p');
    const bad = await put('2', '<html>');
    const b1 = await put('3', '1.3|q');
    const a1 = await put('4', '1.2|p');
    const studies = await scanFolder([folder], reader);
    expect(
      studies.map(({ studyInstanceUid, instances }) => [studyInstanceUid, instances.map(({ key }) => key)]),
    ).toEqual([
      ['1.2', [a2, a1]],
      ['1.3', [b1]],
      [null, [bad]],
    ]);
    expect(studies[2]!.instances[0]).toEqual({
      key: bad,
      header: null,
      failure: { code: 'not-dicom', detail: 'preamble' },
    });
  });

  test('answers for a path that is not there', async () => {
    const [study] = await scanFolder([join(folder, 'missing')], reader);
    expect(study!.instances[0]!.failure?.code).toBe('not-dicom');
  });

  test('keeps a fault of the reader at its file, because the next file is not to blame', async () => {
    const path = await put('film', '1.2|p');
    const [study] = await scanFolder([path], { header: () => Promise.reject(new Failure('reader-crashed')) });
    expect(study!.instances[0]!.failure?.code).toBe('reader-crashed');
  });

  test('is an archive whose files are read where they lie', async () => {
    const path = await put('film', '1.2|p');
    await put('other', '1.2|q');
    const archive = createFolder(await scanFolder([folder], reader));
    const [first] = await archive.list('1.2');
    expect(await archive.fetch(first!)).toBe(path);
    await archive.release(path);
    expect(await readFile(path, 'utf8')).toBe('1.2|p');
    await expect(archive.list('9.9')).rejects.toMatchObject({ code: 'source-gone' });
  });

  test('names both patients of a study, because one of them would be the wrong one (fault 8)', async () => {
    await put('a', '1.2|p');
    await put('b', '1.2|q');
    await put('c', '1.2|p');
    const patients = await createFolder(await scanFolder([folder], reader)).patients('1.2');
    expect(patients.map(({ PatientID }) => PatientID)).toEqual(['p', 'q']);
  });
});

describe('a folder as a destination', () => {
  const artifact = (fileName: string, content = fileName): Artifact => ({
    kind: 'sr',
    name: 'sr',
    fileName,
    mediaType: 'application/dicom',
    id: '2.25.1',
    bytes: Buffer.from(content),
    sha256: sha256(content),
  });
  const at = Date.UTC(2026, 2, 14);

  test('writes each artifact under its name and proves it', async () => {
    const out = join(folder, 'out/1');
    const receipts = await createFolderDestination(out, () => at).deliver([artifact('sr.dcm')]);
    expect(receipts).toEqual([
      { artifact: 'sr', destination: 'folder', storedAt: '2026-03-14T00:00:00.000Z', note: 'sr.dcm' },
    ]);
    expect(await readFile(join(out, 'sr.dcm'), 'utf8')).toBe('sr.dcm');
    expect(await readdir(out)).toEqual(['sr.dcm']);
  });

  test('replaces what it wrote before, because a second run is the same object', async () => {
    const destination = createFolderDestination(folder, () => at);
    await destination.deliver([artifact('sr.dcm', 'first')]);
    await destination.deliver([artifact('sr.dcm', 'second')]);
    expect(await readFile(join(folder, 'sr.dcm'), 'utf8')).toBe('second');
  });

  test('gives no receipt for other bytes than were composed', async () => {
    const altered = { ...artifact('sr.dcm'), sha256: sha256('something else') };
    await expect(createFolderDestination(folder, () => at).deliver([altered])).rejects.toMatchObject({
      code: 'store-failed',
    });
  });

  test.each(['../sr.dcm', 'a/../../sr.dcm', 'a/sr.dcm', '/tmp/sr.dcm', '..'])(
    'writes nothing as %s, because that is outside its folder',
    async (name) => {
      const destination = createFolderDestination(join(folder, 'out'));
      await expect(destination.deliver([artifact(name)])).rejects.toMatchObject({ code: 'internal' });
      expect(await readdir(folder)).toEqual([]);
    },
  );

  test('leaves no half file behind when it cannot write', async () => {
    const blocked = await put('file', '');
    await expect(createFolderDestination(blocked).deliver([artifact('sr.dcm')])).rejects.toMatchObject({
      code: 'store-failed',
    });
    await mkdir(join(folder, 'out/sr.dcm'), { recursive: true });
    await expect(createFolderDestination(join(folder, 'out')).deliver([artifact('sr.dcm')])).rejects.toMatchObject({
      code: 'store-failed',
    });
    expect(await readdir(join(folder, 'out'))).toEqual(['sr.dcm']);
  });
});
