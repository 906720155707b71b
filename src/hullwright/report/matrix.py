"""The jobs of a build, as text, Markdown and JSON, and as GitHub and GitLab want them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from hullwright.report.table import aligned
from hullwright.report.table import markdown as markdown_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hullwright.build.matrix import Row

_SCHEMA: Final = 1
_NOTHING: Final = "nothing to build: no job is needed"
_HEADER: Final = ("service", "target", "platform")


def text(rows: Sequence[Row]) -> str:
    """Return the jobs for a person, one in each line."""
    if not rows:
        return _NOTHING
    count = "1 job" if len(rows) == 1 else f"{len(rows)} jobs"
    table = aligned([_HEADER, *(_cells(row) for row in rows)], gap=2)
    return "\n".join([count, "", *(f"  {line.rstrip()}" for line in table.splitlines())])


def markdown(rows: Sequence[Row]) -> str:
    """Return the jobs for a job summary or a pull request."""
    if not rows:
        return _NOTHING
    return markdown_table(_HEADER, [_cells(row) for row in rows])


def as_json(rows: Sequence[Row]) -> dict[str, Any]:
    """Return the jobs as documented values."""
    return {"schema": _SCHEMA, "empty": not rows, "include": [_value(row) for row in rows]}


def github(rows: Sequence[Row]) -> str:
    """Return what a GitHub step appends to `$GITHUB_OUTPUT`.

    `matrix` is for `strategy.matrix`. GitHub refuses an empty one, so `empty` is what the job
    that has it is skipped by.
    """
    matrix = json.dumps({"include": [_value(row) for row in rows]}, separators=(",", ":"))
    return f"matrix={matrix}\nempty={str(not rows).lower()}\ncount={len(rows)}"


def gitlab(rows: Sequence[Row]) -> str:
    """Return the end of a child pipeline: one job with `parallel: matrix`.

    What it does, the hidden job `.push-part` says, which stands before it in the same file.
    `parallel: matrix` cannot be computed within the pipeline that has it, and must not be empty:
    where there is nothing to do, there is a job that says so.
    Source: https://docs.gitlab.com/ci/yaml/#parallelmatrix
    """
    if not rows:
        said = json.dumps(f"echo {_NOTHING!r}")
        return f"nothing-to-build:\n  extends: .push-part\n  script:\n    - {said}"
    lines = ["push-part:", "  extends: .push-part", "  parallel:", "    matrix:"]
    for row in rows:
        # What is left out is an empty variable to the job's shell.
        told = {name: value for name, value in _value(row).items() if value and name != "name"}
        pairs = [f"{name.upper()}: {json.dumps(value)}" for name, value in told.items()]
        lines += [f"      - {pairs[0]}", *(f"        {pair}" for pair in pairs[1:])]
    return "\n".join(lines)


def _value(row: Row) -> dict[str, str]:
    return {
        "name": row.name,
        "service": row.service,
        "target": row.target,
        "platform": row.platform,
        "arch": row.arch,
    }


def _cells(row: Row) -> tuple[str, str, str]:
    return (row.service, row.target or "(default)", row.platform or "(all)")
