"""How a comparison's page looks: dark and light as the reader's system is, rows as cards on a phone, black on white on paper."""

STYLE = """
:root { color-scheme: light dark; --ink: #1c1c1c; --faint: #5c5c5c; --line: #ddd; --paper: #fff; --head: #f4f4f2;
  --good: #1a6b3c; --bad: #a83216; --unsure: #6b5a00; }
@media screen and (prefers-color-scheme: dark) { :root { --ink: #e6e6e3; --faint: #a8a8a2; --line: #3a3a38; --paper: #171716;
  --head: #222220; --good: #6fcf97; --bad: #ff9a76; --unsure: #e0c766; } }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto; max-width: 76rem;
  padding: 0 1rem; overflow-wrap: break-word; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .3rem; overflow-wrap: anywhere; }
h2 { font-size: 1.3rem; margin: 2.5rem 0 1rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 2rem 0 .5rem; }
.lead { color: var(--faint); margin: 0 0 .8rem; }
nav a { display: inline-block; padding: .2rem 0; margin-right: 1rem; } a { color: inherit; }
.left { border-left: 3px solid var(--unsure); padding: .2rem 0 .2rem .8rem; margin: 1rem 0; font-size: .85rem; }
.left ul { margin: 0; padding-left: 1.1rem; overflow-wrap: anywhere; }
section { scroll-margin-top: 4rem; } .wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .87rem; font-variant-numeric: tabular-nums; }
th, td { padding: .35rem .7rem; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
th { background: var(--head); font-weight: 600; } th small { display: block; font-weight: 400; color: var(--faint); }
td { min-width: 4.5rem; } td.number span { white-space: nowrap; } td:first-child, td.long { min-width: 9rem; }
td.reproduced, td.holds, td.reversed, td.open { min-width: 7.5rem; }
td.reproduced, td.holds { color: var(--good); font-weight: 600; } td.reversed { color: var(--bad); font-weight: 600; }
td.open { color: var(--unsure); }
.note, figcaption { color: var(--faint); font-size: .85rem; max-width: 70rem; }
figure { margin: 1.2rem 0; } img { display: block; max-width: 100%; height: auto; border-radius: 4px; background: #fff; }
figure.chart img { width: 62.5rem; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(26rem, 1fr)); gap: 1.5rem 1rem; } .grid figure { margin: 0; }
details summary { cursor: pointer; font-weight: 600; margin-top: 1rem; padding: .2rem 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.2rem; font-size: .87rem; max-width: 70rem; }
dt { font-weight: 600; } dd { margin: 0; }
@media screen and (max-width: 44rem) {
  body { margin-top: 1rem; } .grid, dl { grid-template-columns: minmax(0, 1fr); } dd { margin-bottom: .4rem; }
  figure .wide img { max-width: none; width: 44rem; }
  table, tbody, tr, td { display: block; } thead { display: none; }
  tr { border: 1px solid var(--line); border-radius: 4px; margin-bottom: .8rem; padding: .3rem 0; }
  td, td:first-child, td.long { border: 0; min-width: 0; padding: .15rem .7rem; }
  td:empty, td.none { display: none; } td::before { content: attr(data-head) ": "; color: var(--faint); font-weight: 400; }
  td:first-child { background: var(--head); font-weight: 600; padding: .3rem .7rem; }
}
@media print {
  body { margin: 0; max-width: none; font-size: 10pt; } nav { display: none; } .wide { overflow: visible; }
  table { font-size: 7.5pt; } th, td { padding: .15rem .3rem; }
  td, td:first-child, td.long, td.open { min-width: 0; } tr, figure, h2, h3 { break-inside: avoid; } h2, h3 { break-after: avoid; }
  .grid { display: block; } .grid figure { margin: 1rem 0; } .grid img { max-height: 24cm; width: auto; }
  details::details-content { content-visibility: visible; block-size: auto; }
}
"""
