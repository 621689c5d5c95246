/** The gateway's API, as a stranger uses it. */

export interface ToldStudy {
  readonly studyInstanceUid: string;
  readonly state: string;
  readonly code: string | null;
}

const pageSize = 500;

export function createApi(url: string, token: string) {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const ask = async (path: string, init: RequestInit = {}): Promise<unknown> => {
    const response = await fetch(`${url}/api/v1${path}`, { ...init, headers, signal: AbortSignal.timeout(30_000) });
    if (!response.ok) throw new Error(`the gateway answered ${response.status} to ${path.split('?')[0]}`);
    return response.json();
  };
  return {
    announce: (studyInstanceUid: string) =>
      ask('/studies', { method: 'POST', body: JSON.stringify({ studyInstanceUid }) }),
    async all(): Promise<readonly ToldStudy[]> {
      const rows: ToldStudy[] = [];
      for (;;) {
        const page = (await ask(`/studies?sort=updatedAt&limit=${pageSize}&offset=${rows.length}`)) as {
          readonly total: number;
          readonly studies: readonly ToldStudy[];
        };
        rows.push(...page.studies);
        if (page.studies.length === 0 || rows.length >= page.total) return rows;
      }
    },
  };
}
