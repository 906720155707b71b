"""How every page looks: colours for light and dark, patterns, paper, and narrow windows."""

from __future__ import annotations

from typing import Final

# Hues that people with the common colour blindnesses tell apart, in both schemes.
STYLE: Final = """
:root {
  color-scheme: light dark;
  --paper: #ffffff; --ink: #1c2430; --soft: #5b6675; --rule: #dde2e9; --band: #f5f7fa;
  --work: #2f6fb3; --reused: #e4e9f0; --reused-edge: #8a97a8; --transfer: #2a8f82;
  --foreign: #dd9a35; --failed: #c4342b; --ended: #8d7f9c; --critical: #111827;
  --on: #ffffff; --stripe: #f3d5a4;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #12161c; --ink: #e3e8ef; --soft: #9aa6b5; --rule: #2a323d; --band: #181e26;
    --work: #4d8fd6; --reused: #252e3a; --reused-edge: #6d7c90; --transfer: #37a899;
    --foreign: #d9962f; --failed: #e5574c; --ended: #8f80a3; --critical: #f4f6f9;
    --on: #0c1015; --stripe: #b37a22;
  }
}
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 14px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif }
main { max-width: 1600px; margin: 0 auto; padding: 24px clamp(12px, 3vw, 40px) 48px }
h1 { font-size: 20px; margin: 0 0 12px } h2 { font-size: 15px; margin: 0; display: inline-block }
dl { display: flex; flex-wrap: wrap; gap: 4px 28px; margin: 0 0 20px }
dl div { display: flex; gap: 8px } dt { color: var(--soft) }
dd { margin: 0; font-variant-numeric: tabular-nums; overflow-wrap: anywhere }
figure { margin: 0 0 28px } figcaption { font-weight: 600; font-size: 15px; margin: 0 0 6px }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; list-style: none; padding: 0;
  margin: 0 0 10px; color: var(--soft); font-size: 13px }
.key { display: inline-block; width: 22px; height: 11px; margin-right: 7px; border-radius: 2px }
.key.work { background: var(--work) } .key.transfer { background: var(--transfer) }
.key.reused { background: var(--reused); border: 1px solid var(--reused-edge) }
.key.ended { background: var(--ended) } .key.failed { background: var(--failed) }
.key.foreign { background: repeating-linear-gradient(135deg, var(--foreign) 0 4px,
  var(--stripe) 4px 6px) }
.key.critical { height: 3px; border-radius: 0; background: var(--critical); margin-bottom: 3px }
.key.wait { height: 0; border-radius: 0; border-top: 2px dotted var(--soft); margin-bottom: 4px }
.key.ring { width: 9px; height: 9px; border: 2px solid var(--ink); border-radius: 50% }
.key.diamond { width: 8px; height: 8px; border-radius: 0; background: var(--ink);
  transform: rotate(45deg); margin: 0 10px 1px 3px }
.lane { display: grid; grid-template-columns: clamp(110px, 20vw, 260px) minmax(0, 1fr);
  gap: 0 14px; border-top: 1px solid var(--rule); padding: 4px 0 }
.lane:nth-child(odd) { background: var(--band) }
.lane.axis { position: sticky; top: 0; z-index: 1; background: var(--paper); border-top: 0 }
.scale { position: relative; height: 18px; margin-right: 40px; color: var(--soft); font-size: 12px;
  font-variant-numeric: tabular-nums }
.scale span { position: absolute; transform: translateX(-50%); white-space: nowrap }
.scale span:first-child { transform: none }
.lane svg { display: block }
.lane > svg { width: calc(100% - 40px) }
.name { padding-left: 6px; min-width: 0; line-height: 1.3 }
.name b { display: block; font-weight: 600; overflow-wrap: anywhere }
.name small { display: block; color: var(--soft); font-variant-numeric: tabular-nums;
  overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
.grid { stroke: var(--rule); stroke-width: 1; shape-rendering: crispEdges }
.bar.work { fill: var(--work) } .bar.transfer { fill: var(--transfer) }
.bar.reused { fill: var(--reused); stroke: var(--reused-edge); stroke-width: 1 }
.bar.foreign { fill: url(#foreign) } .bar.failed { fill: url(#failed) }
.bar.ended { fill: var(--ended) }
.critical { fill: var(--critical) }
.point.ring circle { fill: var(--paper); stroke: var(--ink); stroke-width: 2 }
.point.diamond rect { fill: var(--ink); stroke: var(--paper); stroke-width: 1.5 }
.wait { stroke: var(--soft); stroke-width: 2; stroke-dasharray: 1 3; stroke-linecap: round }
g:hover > .bar { stroke: var(--ink); stroke-width: 2 }
.in { pointer-events: none } .in text { fill: var(--on); font-size: 12px }
.in.reused text { fill: var(--ink) } .in.foreign text { fill: #1d1304 }
section { margin: 0 0 24px } summary { cursor: pointer }
.note { color: var(--soft); margin: 4px 0 }
.scroll { overflow-x: auto; margin-top: 6px }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 13px }
th, td { text-align: left; vertical-align: top; padding: 3px 18px 3px 0;
  border-bottom: 1px solid var(--rule) }
th { color: var(--soft); font-weight: 600; white-space: nowrap }
td { white-space: nowrap } .r { text-align: right }
td:last-child { white-space: normal; overflow-wrap: anywhere; min-width: 12em }
td.r:last-child { min-width: 0 }
.none { position: absolute }
@media (max-width: 640px) {
  .lane { grid-template-columns: minmax(0, 1fr) } .scale .odd { display: none }
  .name { display: flex; gap: 10px; align-items: baseline }
}
@media print {
  :root { --paper: #fff; --ink: #000; --soft: #444; --rule: #ccc; --band: #fff; --work: #2f6fb3;
    --reused: #eef1f5; --reused-edge: #778; --critical: #000; --on: #fff }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact }
  body { font-size: 11px } main { padding: 0; max-width: none }
  .lane, tr { break-inside: avoid } .lane.axis { position: static }
  details::details-content { content-visibility: visible; display: block }
}
"""
# Stripes for what runs by emulation, hatching for what failed: both are told without colour.
PATTERNS: Final = (
    '<svg class="none" width="0" height="0" aria-hidden="true"><defs>'
    '<pattern id="foreign" width="6" height="6" patternUnits="userSpaceOnUse" '
    'patternTransform="rotate(45)"><rect width="6" height="6" style="fill:var(--foreign)"/>'
    '<rect width="1.5" height="6" style="fill:var(--stripe)"/></pattern>'
    '<pattern id="failed" width="5" height="5" patternUnits="userSpaceOnUse" '
    'patternTransform="rotate(-45)"><rect width="5" height="5" style="fill:var(--failed)"/>'
    '<rect width="1" height="5" style="fill:var(--paper);fill-opacity:.3"/></pattern>'
    "</defs></svg>"
)
