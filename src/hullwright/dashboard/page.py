"""The dashboard's one page as HTML: no script, nothing from elsewhere, every value escaped."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC
from html import escape
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from hullwright.dashboard import rows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hullwright.history import Record

ROWS: Final = 10
SECTIONS: Final = {"build": "Builds", "cold-start": "Cold starts", "sizes": "Sizes"}
_COMMON: Final = ("When", "Status", "Project", "Version", "Commit")
_TOOK: Final = ">Took"
_EMPTY: Final = (
    '<div class="card"><p class="empty">No run has been recorded yet: '
    "<code>invoke {kind}</code> leaves the first one here.</p></div>"
)

_STYLE: Final = """
:root { color-scheme: light dark; --text: #1d2733; --soft: #5b6875; --line: #dde3e9;
  --page: #f5f7f9; --card: #fff; --good: #17713a; --bad: #b3261e; --link: #0b5cad }
@media (prefers-color-scheme: dark) { :root { --text: #e3e8ed; --soft: #9aa7b4; --line: #303a45;
  --page: #14191f; --card: #1b222a; --good: #58c27d; --bad: #ff8a80; --link: #7ab7f5 } }
* { box-sizing: border-box }
body { margin: 0; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif }
header, main, footer { max-width: 76rem; margin: 0 auto; padding: 0 1.5rem }
header { padding-top: 1.75rem; padding-bottom: .25rem }
h1 { font-size: 1.5rem; line-height: 1.2; margin: 0 }
header p { margin: .3rem 0 0; color: var(--soft) }
h2 { font-size: 1.05rem; margin: 1.75rem 0 .5rem }
a { color: var(--link) }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 8px;
  overflow-x: auto }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .5rem .8rem; white-space: nowrap }
th { color: var(--soft); font-weight: 500; font-size: .85rem }
tr + tr td { border-top: 1px solid var(--line) }
tr.more td { border-top: 0; padding-top: 0 }
thead + tbody tr:first-child td { border-top: 1px solid var(--line) }
.figure { text-align: right; font-variant-numeric: tabular-nums }
.wide { width: 99%; min-width: 13rem; white-space: normal; color: var(--soft) }
.wide div + div { margin-top: .1rem }
time, code { font-variant-numeric: tabular-nums }
code { font: .9em ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace }
.done { color: var(--good) } .failed { color: var(--bad); font-weight: 600 }
.empty { margin: 0; padding: 1rem .8rem; color: var(--soft) }
footer { color: var(--soft); font-size: .85rem; padding-top: 1.5rem; padding-bottom: 2rem }
"""
_STYLE_DIGEST: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
# For the Content-Security-Policy: this style and no other.
STYLE_SOURCE: Final = f"'sha256-{_STYLE_DIGEST}'"


def render(
    sections: Mapping[str, Sequence[Record]],
    others: Sequence[Record],
    *,
    project: str = "",
    version: str = "",
) -> str:
    """Return the page of the latest records, each kind in its own table."""
    content = [
        f"<h2>{title}</h2>\n{_section(kind, sections.get(kind, ()))}"
        for kind, title in SECTIONS.items()
    ]
    if others:
        content.append(f"<h2>Other runs</h2>\n{_table('Run', others, _kind_line)}")
    subject = f"Latest runs of {escape(project)}" if project else "Latest runs of all projects"
    filtered = ' · <a href="/">show all projects</a>' if project else ""
    return _document(f"{subject}, times in UTC{filtered}", "\n".join(content), version)


def unavailable(reason: str) -> str:
    """Return the page for when the database cannot be asked."""
    told = (
        "<h2>No history can be shown now</h2>\n"
        f'<div class="card"><p class="empty">{escape(reason)}</p></div>'
    )
    return _document("The service runs, but its database does not answer.", told, "")


def _document(subtitle: str, content: str, version: str) -> str:
    served = f"hullwright {escape(version)} · " if version else ""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Hullwright history</title>
<style>{_STYLE}</style>
</head>
<body>
<header>
<h1>Hullwright history</h1>
<p>{subtitle}</p>
</header>
<main>
{content}
</main>
<footer>{served}the same as JSON: <a href="/records">/records</a></footer>
</body>
</html>
"""


def _section(kind: str, records: Sequence[Record]) -> str:
    if not records:
        return _EMPTY.format(kind=kind)
    match kind:
        case "build":
            return _table("Images", records, rows.build_lines)
        case "cold-start":
            return _table("Services", records, rows.cold_start_lines)
    return _sizes(records)


def _table(detail: str, records: Sequence[Record], lines: Callable[[Record], list[str]]) -> str:
    body = [
        [*_common(record), _cell(_lines(lines(record)), "wide"), _took(record)]
        for record in records
    ]
    return _html_table([*_COMMON, detail, _TOOK], [("", row) for row in body])


def _sizes(records: Sequence[Record]) -> str:
    """Return the table of sizes: one line for each image, the run's own cells on its first."""
    body: list[tuple[str, list[str]]] = []
    for record in records:
        measured = rows.size_cells(record) or [(rows.NONE,) * 4]
        for number, (image, platform, compressed, unpacked) in enumerate(measured):
            run = [_cell("")] * len(_COMMON) if number else _common(record)
            figures = [_cell(escape(figure), "figure") for figure in (compressed, unpacked)]
            row = [*run, _cell(escape(image), "wide"), _cell(escape(platform)), *figures]
            body.append(("more" if number else "", row))
    return _html_table([*_COMMON, "Image", "Platform", ">Compressed", ">Unpacked"], body)


def _html_table(header: Sequence[str], body: Sequence[tuple[str, Sequence[str]]]) -> str:
    head = "".join(
        f'<th class="figure">{name[1:]}</th>' if name.startswith(">") else f"<th>{name}</th>"
        for name in header
    )
    lines = [f'<tr class="{kind}">{"".join(cells)}</tr>' for kind, cells in body]
    rows_ = "\n".join(lines)
    return (
        f'<div class="card"><table>\n<thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{rows_}\n</tbody>\n</table></div>"
    )


def _common(record: Record) -> list[str]:
    at = record.at.astimezone(UTC)
    good, version = record.status == "done", rows.version(record)
    status = f"{'✓' if good else '✗'} {record.status}"
    when = f'<time datetime="{at:%Y-%m-%dT%H:%M:%SZ}">{at:%Y-%m-%d %H:%M}</time>'
    project = f'<a href="/?project={quote(record.project)}">{escape(record.project)}</a>'
    return [
        _cell(when),
        _cell(escape(status), "done" if good else "failed"),
        _cell(project),
        _cell(
            f'<span title="{escape(record.version)}">{escape(version)}</span>'
            if version
            else rows.NONE
        ),
        _cell(f"<code>{escape(record.revision[:10])}</code>" if record.revision else rows.NONE),
    ]


def _took(record: Record) -> str:
    return _cell(rows.took(record), "figure")


def _kind_line(record: Record) -> list[str]:
    return [record.kind]


def _lines(lines: Sequence[str]) -> str:
    return "".join(f"<div>{escape(line)}</div>" for line in lines) or rows.NONE


def _cell(content: str, kind: str = "") -> str:
    return f'<td class="{kind}">{content}</td>' if kind else f"<td>{content}</td>"
