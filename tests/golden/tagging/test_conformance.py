"""The rows of metadata-action's own tests: what its users know must come out the same.

The file is not part of this repository. A row that a deviation of ours changes stands here with
the deviation's number, as docs/moving-from-metadata-action.md has them, and our own tags.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pytest

from hullwright.tagging import Clone, compute, parse
from hullwright.tagging.observe import context_of
from hullwright.tagging.providers import github

ROOT: Final = Path(__file__).parents[3]
FILE: Final = Path(
    os.environ.get("HULLWRIGHT_CONFORMANCE")
    or ROOT.parent / "shared" / "conformance" / "metadata-action.json"
)
# The rows that a named deviation changes: its number, and our tags.
DEVIATING: Final = {
    "tag07": (2, ("2.0.8-beta.67",)),
    "tag09": (2, ("2.0.8", "67")),
    "latest02": (2, ("20200110-RC2",)),
    "latest06": (2, ("2.0.8",)),
    "latest10": (2, ("2.0.8",)),
}
# The clock is frozen, the names of the images are not part of a tag.
CLOCK_LENGTH: Final = len("2020-01-10T00:30:00.000Z")


def _data() -> dict[str, Any]:
    if not FILE.is_file():
        return {}
    data: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return data


DATA: Final = _data()
CASES: Final[list[dict[str, Any]]] = DATA.get("cases", [])
NEEDS_FILE: Final = pytest.mark.skipif(
    not CASES, reason=f"{FILE} is not there; HULLWRIGHT_CONFORMANCE names another path"
)


def _payload(told: dict[str, Any]) -> dict[str, Any]:
    payload: dict[str, Any] = {
        "base_ref": told["base_ref"],
        "repository": {"default_branch": told["repository_default_branch"]},
    }
    if told["pr_number"] is not None:
        payload["number"] = told["pr_number"]
        payload["pull_request"] = {
            "base": {"ref": told["pr_base_ref"]},
            "head": {"sha": told["pr_head_sha"]},
        }
    return payload


def _ours(case: dict[str, Any]) -> tuple[str, ...]:
    context = case["context"]
    environ = {
        "GITHUB_EVENT_NAME": context["event_name"],
        "GITHUB_REF": context["github_ref_env"],
        "GITHUB_SHA": context["github_sha_env"],
        **case["env"],
    }
    told = github(environ, _payload(context["payload"]))
    assert (told.ref, told.sha) == (context["ref"], context["sha"])
    # Where the event does not tell it the action asks the repository.
    default = told.default_branch or DATA["repo"]["default_branch"]
    now = datetime.fromisoformat(DATA["clock"][:CLOCK_LENGTH])
    inputs = case["inputs"]
    rules, _ = parse("\n".join(inputs["tags"]))
    _, flavor = parse("\n".join(["flavor: |", *inputs["flavor"]]))
    frozen = context_of(replace(told, default_branch=default), now, Clone())
    return compute(frozen, rules, flavor).names


def _theirs(case: dict[str, Any]) -> tuple[str, ...]:
    """Return the tags of a row; without an image they are told in parts."""
    images, expected = case["inputs"]["images"], case["expect"]
    if images:
        first = images[0].lower()
        return tuple(
            tag.removeprefix(f"{first}:") for tag in expected["tags"] if tag.startswith(f"{first}:")
        )
    latest = ["latest"] if expected["latest"] else []
    return (expected["version"], *expected["partial"], *latest)


@NEEDS_FILE
@pytest.mark.parametrize(
    "case", CASES, ids=[f"{number:02d}-{case['id']}" for number, case in enumerate(CASES)]
)
def test_a_row_gives_the_same_tags(case: dict[str, Any]) -> None:
    ours, theirs = _ours(case), _theirs(case)
    if case["id"] in DEVIATING:
        number, expected = DEVIATING[case["id"]]
        assert ours == expected
        # Deviation 2: what is left out is `latest`, and nothing else.
        assert number == 2
        assert (*ours, "latest") == theirs
    else:
        assert ours == theirs


@NEEDS_FILE
def test_every_row_is_there() -> None:
    assert len(CASES) == 57
    assert set(DEVIATING) <= {case["id"] for case in CASES}
