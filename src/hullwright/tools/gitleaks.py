"""gitleaks: finds general patterns of tokens; its report is read without any value in it.

Its commands `git` and `dir` are those of 8.19 and later (https://github.com/gitleaks/gitleaks).
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from hullwright.tools import memory

if TYPE_CHECKING:
    from hullwright.run import Result, Runner

PROGRAM: Final = "gitleaks"
_TIMEOUT_S: Final = 1800.0


@dataclass(frozen=True, slots=True)
class Leak:
    """One place where a pattern matched; never what matched.

    Attributes:
        rule: gitleaks' name of the pattern.
        description: what the pattern is of.
        file: the file's path as gitleaks has it.
        line: its first line, from 1.
        commit: the commit; empty where files were looked at.
    """

    rule: str
    description: str
    file: str
    line: int
    commit: str = ""


def find(
    runner: Runner, what: Literal["git", "dir"], path: Path
) -> tuple[Result, tuple[Leak, ...]]:
    """Return how gitleaks ended on a repository's history, or a folder or file, and its findings.

    The report is written into memory where there is a folder in it, with values masked.
    """
    place = memory.folder(runner.environ)
    with tempfile.TemporaryDirectory(prefix="hullwright-", dir=place) as folder:
        report = Path(folder) / "report.json"
        result = runner.read(*command(what, path, report), check=False, timeout_s=_TIMEOUT_S)
        text = report.read_text(encoding="utf-8") if report.is_file() else ""
    return result, parse(text)


def command(what: Literal["git", "dir"], path: Path, report: Path) -> tuple[str, ...]:
    """Return the command; it ends with 0 whether it finds something or not."""
    form = ("--report-format", "json", "--report-path", str(report))
    return (PROGRAM, what, "--no-banner", "--redact", "--exit-code", "0", *form, str(path))


def parse(report: str) -> tuple[Leak, ...]:
    """Return the findings of a JSON report; `Match` and `Secret` are not taken over.

    Raises:
        ValueError: it is not such a report.
    """
    # Go writes an empty list as null.
    rows = (json.loads(report) if report.strip() else None) or []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("gitleaks' report is no list of findings")
    return tuple(
        Leak(
            rule=str(row.get("RuleID", "")),
            description=str(row.get("Description", "")),
            file=str(row.get("File", "")),
            line=int(row.get("StartLine", 0)),
            commit=str(row.get("Commit", "")),
        )
        for row in rows
    )
