"""How tags are shown, word for word."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from goldens import goldens
from hullwright.report import tags as report
from hullwright.tagging import Tags, compute, parse
from tagging import clone, on

HERE: Final = Path(__file__).parent
RULES: Final = r"""
type=semver,pattern={{version}}
type=semver,pattern={{major}}.{{minor}}
type=match,pattern=(\d+)$,group=2
type=ref,event=branch
type=raw,value=odd-{{nothing}}
type=sha
"""
KNOWN: Final = clone("a/b", "a-b", "t:v1.9.0", "t:v1.9.1", "t:v2.0.1")


def results() -> list[Tags]:
    """Return the tags of an old release, of the newest, and of a branch."""
    rules = parse(RULES)[0]
    refs = {"old": "tags/v1.9.0", "new": "tags/v2.0.1", "branch": "heads/a/b"}
    return [compute(on(f"refs/{ref}", KNOWN), rules, service=s) for s, ref in refs.items()]


held = goldens(HERE)


def test_text_for_people() -> None:
    old, new, branch = results()
    shown = [report.text([one]) for one in (old, new, branch)]
    nothing = compute(on("refs/heads/x"), parse("type=ref,event=tag")[0])
    held("shown.txt", "\n\n".join([*shown, report.text([old, new]), report.text([nothing])]))


def test_markdown() -> None:
    old, new, _ = results()
    held("shown.md", "\n\n".join([report.markdown([old]), report.markdown([old, new])]))


def test_json() -> None:
    old, new, _ = results()
    held("shown.json", json.dumps(report.as_json([old]), indent=2, ensure_ascii=False))
    services = report.as_json([old, new])["services"]
    assert isinstance(services, dict)
    assert list(services) == ["old", "new"]


def test_lines_for_a_shell_and_for_ci() -> None:
    old, new, _ = results()
    forms = (report.env, report.gitlab, report.github)
    held("shown.env", "\n\n".join(form(r) for r in ([old], [old, new]) for form in forms))
