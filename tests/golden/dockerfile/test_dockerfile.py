"""Dockerfiles and what they mean, as pairs of files."""

from __future__ import annotations

from pathlib import Path

import pytest

from hullwright.tools.dockerfile import Dockerfile, parse

_HERE = Path(__file__).parent


def _told(dockerfile: Dockerfile) -> str:
    lines = [f"directive {name} = {value}" for name, value in dockerfile.directives.items()]
    lines += [f"global {name} = {value}" for name, value in dockerfile.globals.items()]
    for stage in dockerfile.all_stages:
        lines.append(f"stage {stage.name or '-'} at {stage.line} from {stage.base}")
        lines += [f"  argument {name}" for name in stage.arguments]
        lines += [f"  {step.line} {step.keyword} {step.value}" for step in stage.instructions]
    for use in dockerfile.images(contexts=["docs"]):
        missing = f", missing {' '.join(use.missing)}" if use.missing else ""
        platform = f" on {use.platform}" if use.platform else ""
        lines.append(f"image {use.image}{platform}: {use.kind} at {use.line}{missing}")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("name", ["everything", "windows"])
def test_a_dockerfile_is_read_as_buildkit_reads_it(name: str) -> None:
    text = (_HERE / f"{name}.Dockerfile").read_text(encoding="utf-8")
    assert _told(parse(text)) == (_HERE / f"{name}.txt").read_text(encoding="utf-8")


def test_line_ends_and_a_byte_order_mark_of_windows_change_nothing() -> None:
    text = (_HERE / "everything.Dockerfile").read_text(encoding="utf-8")
    assert parse("\ufeff" + text.replace("\n", "\r\n")) == parse(text)
