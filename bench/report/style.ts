/** The report's style sheet: text, because Node reads it as well as a page. */
export const style = `
:root {
  color-scheme: light dark;
  --paper: #f7f6f3; --card: #fff; --ink: #1c1d21; --soft: #5a5d66; --line: #d9d7d1;
  --bar: #3d6fc4; --other: #b9632a; --roof: #a3231f;
  --group-0: #2f62c0; --group-1: #c25f16; --group-2: #21803f; --group-3: #8a45b0; --group-4: #0b7f8c;
  --group-5: #b3326b; --group-other: #6b6f78;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #15171b; --card: #1e2127; --ink: #eceef2; --soft: #a4a9b4; --line: #363b45;
    --bar: #7fabf5; --other: #f0a060; --roof: #ff9d94;
    --group-0: #7fabf5; --group-1: #f5a35c; --group-2: #69cf8a; --group-3: #cf9cf0; --group-4: #5ccfdc;
    --group-5: #f58bb7; --group-other: #a4a9b4;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: clamp(1rem, 4vw, 3rem); max-width: 68rem;
  background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif;
}
h1 { margin: 0 0 .5rem; font-size: clamp(1.5rem, 5vw, 2.2rem); line-height: 1.15; letter-spacing: -.02em; }
h2 { margin: 0 0 .75rem; font-size: 1.25rem; }
section, .facts {
  margin: 1.5rem 0; padding: clamp(.8rem, 2.5vw, 1.5rem);
  border: 1px solid var(--line); border-radius: 12px; background: var(--card);
}
p { max-width: 46rem; margin: .5rem 0; }
.soft, figcaption, caption { color: var(--soft); font-size: .875rem; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); gap: .75rem 1.5rem; }
.facts dt { color: var(--soft); font-size: .8rem; }
.facts dd { margin: 0; overflow-wrap: anywhere; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .75rem; margin: 1.25rem 0; padding: 0; list-style: none; }
.tiles li { padding: .9rem 1rem; border: 1px solid var(--line); border-radius: 12px; background: var(--card); }
.tiles strong { display: block; font-size: 1.5rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
figure { margin: 1rem 0; }
figcaption { max-width: 46rem; }
.wide { overflow-x: auto; }
.wide:focus-visible, summary:focus-visible { outline: 3px solid var(--bar); outline-offset: 2px; }
svg.plot { display: block; width: 100%; min-width: 40rem; height: auto; }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1rem; margin: .5rem 0; padding: 0; list-style: none; font-size: .875rem; }
.legend i { display: inline-block; width: .7em; height: .7em; margin-right: .4em; border-radius: 50%; }
table { width: 100%; border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
caption { padding: .25rem 0 .5rem; text-align: left; }
th, td { padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
th { font-weight: 600; }
tbody th { font-weight: 400; }
th, td.number { white-space: nowrap; }
.number { text-align: right; }
details { margin-top: .5rem; }
summary { cursor: pointer; color: var(--soft); }
@media print {
  :root { --paper: #fff; --card: #fff; --ink: #000; --soft: #444; --line: #bbb; color-scheme: light; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  section, .facts, .tiles li { border-radius: 0; }
  figure, tr, .tiles li { break-inside: avoid; }
  .wide { overflow: visible; }
  svg.plot { min-width: 0; }
}
`;
