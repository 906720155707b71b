"""General patterns of tokens, which gitleaks knows; its findings become ours."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from hullwright.findings import Finding
from hullwright.tools import gitleaks

if TYPE_CHECKING:
    from pathlib import Path

    from hullwright.scan.models import ScanPlan
    from hullwright.scan.search import Haystack
    from hullwright.tools.gitleaks import Leak
    from hullwright.workspace import Workspace

ABSENT: Final = Finding(
    "scan.gitleaks",
    "note",
    "gitleaks",
    "is not on PATH, so general patterns of tokens were not looked for",
    "install it from https://github.com/gitleaks/gitleaks",
)
_REMEDY: Final = "rotate it if it is real; if it is not: a line gitleaks:allow, or .gitleaksignore"


def search(ws: Workspace, haystack: Haystack, plan: ScanPlan) -> list[Finding]:
    """Return what gitleaks finds in the history, or else in the searched files."""
    if not plan.gitleaks:
        return [ABSENT]
    if plan.git_history:
        return _run(ws, haystack, ws.root, history=True)
    return [
        found for name in plan.files for found in _run(ws, haystack, ws.root / name, history=False)
    ]


def _run(ws: Workspace, haystack: Haystack, path: Path, *, history: bool) -> list[Finding]:
    try:
        result, leaks = gitleaks.find(ws.runner, "git" if history else "dir", path)
    except ValueError as error:
        return [_failed(str(error))]
    if not result.ok:
        said = result.stderr.strip().splitlines()
        return [_failed(ws.runner.redacted(haystack.masked(said[-1] if said else "")))]
    return [_finding(ws.root, haystack, leak) for leak in leaks]


def _failed(why: str) -> Finding:
    message = (
        f"did not end well, so general patterns were not looked for: {why or 'it said nothing'}"
    )
    return Finding("scan.gitleaks", "warning", "gitleaks", message, "gitleaks 8.19 or later")


def _finding(root: Path, haystack: Haystack, leak: Leak) -> Finding:
    file = os.path.relpath(leak.file, root) if os.path.isabs(leak.file) else leak.file  # noqa: PTH117  a text of another program, not a path that is opened
    place = f"{haystack.masked(file)}:{leak.line}"
    subject = f"commit {leak.commit[:12]}: {place}" if leak.commit else place
    message = f"matches gitleaks' rule {leak.rule}: {haystack.masked(leak.description)}"
    return Finding("scan.pattern", "error", subject, message.rstrip(": ."), _REMEDY)
