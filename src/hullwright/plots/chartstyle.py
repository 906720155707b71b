"""How treemaps and trends look, in light and dark; part of every page's style."""

from __future__ import annotations

from typing import Final

# Hues that people with the common colour blindnesses tell apart; letters on them are ink in both
# schemes, so tiles are light in light and dark in dark.
CHARTS: Final = """
:root {
  --blue: #8fbbe8; --green: #a5d39a; --orange: #f3b37a; --purple: #cbb0e4; --red: #ef9d97;
  --yellow: #f0dc7d; --teal: #86d0c8; --grey: #c8cfd8; --limit: #b4231b; --soft-limit: #b06a00;
  --first: #2f6fb3; --second: #2a8f82; --third: #7d4fae;
}
@media (prefers-color-scheme: dark) {
  :root {
    --blue: #2c5e92; --green: #3d6f35; --orange: #8a5418; --purple: #63478a; --red: #8d3a35;
    --yellow: #6f621a; --teal: #1f6d66; --grey: #454f5c; --limit: #f0756c; --soft-limit: #e0a04a;
    --first: #5a9ce0; --second: #43bfae; --third: #b48be0;
  }
}
.treemap { display: block } .treemap text { fill: var(--ink); font-size: 12px;
  pointer-events: none }
.treemap .told { fill-opacity: .75; font-size: 11px }
.treemap .folder { fill: var(--band); stroke: var(--rule); stroke-width: 1 }
.treemap .folder + svg text { font-weight: 600 }
.treemap .tile { stroke: var(--paper); stroke-width: 1 }
.treemap g:hover > .tile, .treemap g:hover > .folder { stroke: var(--ink); stroke-width: 2 }
.tile.blue { fill: var(--blue); background: var(--blue) }
.tile.green { fill: var(--green); background: var(--green) }
.tile.orange { fill: var(--orange); background: var(--orange) }
.tile.purple { fill: var(--purple); background: var(--purple) }
.tile.red { fill: var(--red); background: var(--red) }
.tile.yellow { fill: var(--yellow); background: var(--yellow) }
.tile.teal { fill: var(--teal); background: var(--teal) }
.tile.grey { fill: var(--grey); background: var(--grey) }
.tile.pale { fill-opacity: .42 }
.key.tile.pale { background: var(--blue); opacity: .42 }
.trend { display: grid; grid-template-columns: 76px minmax(0, 1fr); gap: 0 8px }
.trend svg { display: block } .figures text, .runs text { fill: var(--soft); font-size: 12px;
  font-variant-numeric: tabular-nums }
.figures text { text-anchor: end; dominant-baseline: middle }
.line { stroke-width: 2; stroke-linecap: round } .limit { stroke-width: 1.5 }
.line.circle { stroke: var(--first) } .dot.circle { fill: var(--first) }
.line.square { stroke: var(--second) } .dot.square { fill: var(--second) }
.line.diamond { stroke: var(--third) } .dot.diamond { fill: var(--third) }
.dot { stroke: var(--paper); stroke-width: 1.5 }
.dot.failed { stroke: var(--limit); stroke-width: 2.5 }
.dot:hover { stroke: var(--ink) }
.limit.hard { stroke: var(--limit) } .limit.soft { stroke: var(--soft-limit) }
.key.limit { height: 0; border-radius: 0; margin-bottom: 4px }
.key.limit.hard { border-top: 2px dashed var(--limit) }
.key.limit.soft { border-top: 2px dotted var(--soft-limit) }
.sample { vertical-align: -2px; margin-right: 7px; overflow: visible }
@media print {
  :root { --blue: #8fbbe8; --green: #a5d39a; --orange: #f3b37a; --purple: #cbb0e4; --red: #ef9d97;
    --yellow: #f0dc7d; --teal: #86d0c8; --grey: #c8cfd8; --limit: #b4231b; --soft-limit: #b06a00;
    --first: #2f6fb3; --second: #2a8f82; --third: #7d4fae }
  figure { break-inside: avoid }
}
"""
