import { expect, test } from '@jest/globals';
import { escapeText, markup } from '../../src/core/markup.ts';

test('every value is encoded, because a name is text and nothing else', () => {
  const name = `<script>alert("1")</script> & 'x'`;
  expect(markup`<td title="${name}">${name}</td>`.text).toBe(
    '<td title="&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;x&#39;">' +
      '&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;x&#39;</td>',
  );
});

test('markup in markup stays, and null is nothing', () => {
  const rows = ['a', '<b>'].map((text) => markup`<li>${text}</li>`);
  expect(markup`<ul>${rows}</ul>${null}${markup`<p>${1}</p>`}`.text).toBe(
    '<ul><li>a</li><li>&lt;b&gt;</li></ul><p>1</p>',
  );
});

test('what XML forbids is replaced, because one such character makes the whole narrative unreadable', () => {
  expect(escapeText('a\u0000b\u001bc\ufffed\ud800e')).toBe('a\ufffdb\ufffdc\ufffdd\ufffde');
  expect(escapeText('tab\tline\n山\u{1F600}')).toBe('tab\tline\n山\u{1F600}');
});
