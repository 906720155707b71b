"""The table of versions, and how a version is shown, word for word."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from hullwright.report import version as report
from hullwright.report.table import aligned
from hullwright.version import Version, build_arguments
from hullwright.version.model import assemble, derive, of_tag

HERE: Final = Path(__file__).parent
REVISION: Final = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d"
TREE: Final = "0123abcd5e6f708192a3b4c5d6e7f8091a2b3c4d"

# Tag, commits after it, and whether the content is another one.
STATES: Final = (
    ("v1.2.3", 0, False),
    ("v1.2.3", 5, False),
    ("v1.3.0-rc.1", 0, False),
    ("v1.3.0-rc.1", 5, False),
    ("v1.2.3", 5, True),
    ("v1.2.3", 0, True),
    ("v1.3.0-rc.1", 0, True),
    ("v1.2.3+build.7", 0, False),
    ("v1.2.3+build.7", 2, False),
    ("v1.3.0-rc.1+build.7", 2, True),
    ("", 3, False),
    ("", 3, True),
)


def held(name: str, text: str) -> None:
    """Assert that `text` is what the golden file says; UPDATE_GOLDEN=1 writes it."""
    golden = HERE / name
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(f"{text}\n", encoding="utf-8")
    assert f"{text}\n" == golden.read_text(encoding="utf-8")


def version_of(tag: str, distance: int, *, changed: bool) -> Version:
    """Return the version of a state of the table."""
    describe = f"{tag}-{distance}-g{REVISION[:7]}" if distance else tag
    return assemble(
        derive(
            of_tag(tag, "v"),
            distance=distance,
            revision=REVISION,
            changed_tree=TREE if changed else None,
        ),
        revision=REVISION,
        describe=describe if tag else REVISION[:7],
        ref="refs/heads/main",
        commit_date=datetime(2026, 11, 21, 8, 30, tzinfo=UTC),
        distance=distance,
        dirty=changed,
        tag=tag,
    )


def test_every_state_has_its_version() -> None:
    rows = [("tag", "commits", "content", "version", "image tag")]
    for tag, distance, changed in STATES:
        found = version_of(tag, distance, changed=changed)
        state = "changed" if changed else "clean"
        rows.append((tag or "none", str(distance), state, found.version, found.image_tag))
    held("table.txt", aligned(rows))


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("release", ("v1.2.3", 0, False)),
        ("after", ("v1.2.3", 1, False)),
        ("changed", ("v1.3.0-rc.1", 5, True)),
        ("untagged", ("", 3, False)),
    ],
)
def test_it_is_shown_in_every_form(name: str, state: tuple[str, int, bool]) -> None:
    tag, distance, changed = state
    found = version_of(tag, distance, changed=changed)
    arguments = "\n".join(f"{key}={value}" for key, value in build_arguments(found).items())
    forms = {
        "text": report.text(found),
        "markdown": report.markdown(found),
        "json": json.dumps(report.as_json(found), indent=2),
        "env": report.env(found),
        "build arguments": arguments,
    }
    held(f"{name}.txt", "\n\n".join(f"== {form}\n{shown}" for form, shown in forms.items()))


def test_what_an_exported_tree_does_not_know_is_left_out() -> None:
    told = replace(version_of("v1.2.3", 0, changed=False), ref="", distance=None, tag="")
    lines = (report.text(told) + "\n" + report.env(told)).splitlines()
    assert "  commit      " + REVISION + ", 2026-11-21T08:30:00Z" in lines
    assert not [line for line in lines if "counted" in line or line.startswith(("DIST", "REF="))]
    shown = report.as_json(told)
    assert (shown["distance"], shown["ref"]) == (None, None)


def test_services_with_other_prefixes_have_their_own() -> None:
    own = version_of("v1.2.3", 0, changed=False)
    told = report.as_json(own, {"api": version_of("v2.0.0", 1, changed=False)})
    assert told["version"] == "1.2.3"
    services = told["services"]
    assert isinstance(services, dict)
    assert services["api"]["version"] == "2.0.1-0.dev.1+g1a2b3c4"
    assert "schema" not in services["api"]


def test_a_ref_with_letters_of_a_shell_is_quoted() -> None:
    odd = replace(version_of("v1.2.3", 0, changed=False), ref="refs/heads/$(id);x")
    assert "REF='refs/heads/$(id);x'" in report.env(odd).splitlines()
