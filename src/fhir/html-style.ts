/** Style of the report page: legible on screen and on paper, no colour that carries a meaning alone. */
export const reportStyle = `
:root { color-scheme: light; --ink: #1b2430; --soft: #5a6675; --line: #d5dbe3; --wash: #f5f7fa; }
* { box-sizing: border-box; }
body { margin: 0; background: #fff; color: var(--ink); font: 15px/1.5 "Segoe UI", "Helvetica Neue", Arial, "Noto Sans", sans-serif; }
main { max-width: 58rem; margin: 0 auto; padding: 1.25rem 1.5rem 2rem; }
.notice { margin: 0; padding: .6rem 1.5rem; background: #fff3cd; border-bottom: 2px solid #b7791f; color: #533708; font-weight: 600; text-align: center; }
.untrained { background: #8b1a1a; border-color: #5c0f0f; color: #fff; }
h1 { margin: 0 0 .9rem; font-size: 1.45rem; line-height: 1.25; }
h2 { margin: 1.7rem 0 .6rem; font-size: 1.05rem; border-bottom: 1px solid var(--line); padding-bottom: .25rem; }
dl { display: grid; grid-template-columns: max-content 1fr max-content 1fr; gap: .2rem 1.1rem; margin: 0; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
.identity { padding: .8rem 1rem; background: var(--wash); border: 1px solid var(--line); border-radius: 6px; }
.identity dd { font-weight: 600; }
.conclusion { margin: 1.2rem 0 0; padding: .9rem 1.1rem; border: 1px solid var(--line); border-left: 6px solid #5a6675; border-radius: 6px; }
.conclusion.present { border-left-color: #b3261e; }
.conclusion.absent { border-left-color: #2f6f4f; }
.conclusion .finding { margin: 0; font-size: 1.25rem; font-weight: 700; }
.conclusion p + p { margin: .35rem 0 0; }
.film { display: grid; grid-template-columns: minmax(0, 24rem) 1fr; gap: 1.4rem; align-items: start; margin-top: 1rem; break-inside: avoid; }
.film img { display: block; width: 100%; height: auto; background: #000; border: 1px solid var(--line); border-radius: 4px; }
figure { margin: 0; }
figcaption { margin-top: .35rem; color: var(--soft); font-size: .85rem; }
.score { margin: 0; font-size: 1.9rem; font-weight: 700; line-height: 1.1; }
.score small { font-size: .95rem; font-weight: 600; }
.scale { position: relative; height: .85rem; margin: .9rem 0 1.7rem; background: #e6eaf0; border-radius: .45rem; print-color-adjust: exact; }
.scale .value { position: absolute; inset: 0 auto 0 0; background: #44546a; border-radius: .45rem; }
.scale .point { position: absolute; top: -.3rem; bottom: -.3rem; width: 2px; background: #b3261e; }
.scale .label { position: absolute; top: 1.15rem; transform: translateX(-50%); white-space: nowrap; font-size: .8rem; color: var(--soft); }
.film dl, .method dl { grid-template-columns: max-content 1fr; }
.small { margin: 0; font-size: .85rem; color: var(--soft); }
ul { margin: .3rem 0 0; padding-left: 1.2rem; }
@media (max-width: 40rem) { dl { grid-template-columns: max-content 1fr; } .film { grid-template-columns: 1fr; } }
@media print { body { font-size: 12px; } main { max-width: none; } .notice, .conclusion, .identity { print-color-adjust: exact; } }
`;
