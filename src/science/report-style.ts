/** Style of the evaluation's report: a page of a paper, on screen and printed. */
export const reportStyle = `
:root { color-scheme: light; --ink: #1b2430; --soft: #5b6673; --line: #cfd6de; }
* { box-sizing: border-box; }
body { margin: 0; background: #fff; color: var(--ink); font: 15.5px/1.5 Charter, "Bitstream Charter", "Source Serif 4", Georgia, "Noto Serif", "DejaVu Serif", serif; font-variant-numeric: lining-nums tabular-nums; }
main { max-width: 62rem; margin: 0 auto; padding: 2.2rem 2rem 3rem; }
header { border-bottom: 1px solid var(--ink); padding-bottom: .9rem; margin-bottom: 1.2rem; }
h1 { margin: 0 0 .35rem; font-size: 1.75rem; line-height: 1.2; font-weight: 600; }
h2 { margin: 2.1rem 0 .6rem; font-size: 1.15rem; font-weight: 600; }
p { margin: 0 0 .7rem; }
header p, .small, figcaption, caption, table, svg, .card { font-family: "Helvetica Neue", Arial, "Noto Sans", "DejaVu Sans", sans-serif; }
header p { margin: 0; color: var(--soft); font-size: .84rem; overflow-wrap: anywhere; }
.notice { margin: 0 0 1.1rem; padding: .5rem .8rem; border: 1px solid #b7791f; background: #fff8e6; font: 600 .84rem/1.45 "Helvetica Neue", Arial, "Noto Sans", sans-serif; }
.notice.untrained { border-color: #8b1a1a; background: #fdeaea; color: #6d1212; }
.abstract { font-size: 1.02rem; margin: 0 0 1rem; }
.cautions { margin: 0 0 1rem; padding: .7rem 1rem .7rem 2rem; border-left: 3px solid #b7791f; background: #faf7f0; font-size: .93rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); gap: 1.4rem; }
figure { margin: 0; break-inside: avoid; }
svg { display: block; width: 100%; height: auto; }
figcaption, caption { font-size: .82rem; line-height: 1.45; color: var(--soft); }
figcaption { margin-top: .4rem; }
figcaption b, caption b { color: var(--ink); }
.scroll { overflow-x: auto; margin: 0 0 1.3rem; }
table { border-collapse: collapse; width: 100%; font-size: .83rem; line-height: 1.35; border-top: 1.5px solid var(--ink); border-bottom: 1.5px solid var(--ink); }
caption { text-align: left; padding-bottom: .4rem; }
th { font-weight: 600; white-space: normal !important; border-bottom: 1px solid var(--ink); vertical-align: bottom; }
th, td { padding: .3rem .55rem; text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; white-space: normal; padding-left: .1rem; }
td small { display: block; color: var(--soft); font-size: .74rem; }
tr + tr > td { border-top: 1px solid #edf0f3; }
tr.chosen td { background: #f6f1ea; print-color-adjust: exact; }
.narrow { max-width: 34rem; }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(12.5rem, 1fr)); gap: 1rem; margin-bottom: .6rem; }
.card { break-inside: avoid; font-size: .76rem; line-height: 1.35; color: var(--soft); }
.card img { display: block; width: 100%; aspect-ratio: 1; object-fit: contain; background: #000; margin-bottom: .3rem; }
.card b { color: var(--ink); }
.card span { display: block; overflow-wrap: anywhere; }
h3 { margin: 1.2rem 0 .3rem; font-size: 1rem; font-weight: 600; }
.small { font-size: .82rem; color: var(--soft); }
@media print { body { font-size: 11.5px; } main { max-width: none; padding: 0; } .figures { grid-template-columns: repeat(3, 1fr); } }
`;
