import type { Stored } from './fhir-tables.ts';

/** A report as a person at the EHR sees it. */

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => escapes[character]!);

/** The html attachment of a DiagnosticReport; null when it has none. */
export function presentedHtml(report: Stored): string | null {
  const forms = (report['presentedForm'] ?? []) as readonly { readonly contentType?: string; readonly data?: string }[];
  const form = forms.find(({ contentType, data }) => contentType?.startsWith('text/html') && data !== undefined);
  return form?.data === undefined ? null : Buffer.from(form.data, 'base64').toString('utf8');
}

/** No script, no network: only what the page itself holds. */
export const pagePolicy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-src 'self'";

/** The attachment in a frame without rights, below a line that says what the EHR knows of the report. */
export function reportPage(report: Stored, html: string): string {
  const { id, meta } = report;
  const conclusion = typeof report['conclusion'] === 'string' ? report['conclusion'] : '';
  const status = String(report['status'] ?? 'unknown');
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>DiagnosticReport ${escapeHtml(id)}</title>
<style>
  body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #f4f5f7; display: flex; flex-direction: column; height: 100vh }
  header { padding: 0.75rem 1.25rem; background: #fff; border-bottom: 1px solid #c9ccd1 }
  h1 { font-size: 1rem; margin: 0 } p { margin: 0.25rem 0 0 }
  iframe { flex: 1; border: 0; background: #fff }
</style>
<header>
  <h1>DiagnosticReport, ${escapeHtml(status)}, version ${escapeHtml(meta.versionId)}</h1>
  <p>${escapeHtml(conclusion)}</p>
</header>
<iframe title="The report" sandbox srcdoc="${escapeHtml(html)}"></iframe>
</html>
`;
}
