"""The table of versions, and how a version is shown, word for word."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from goldens import goldens
from hullwright.report import consumers, verification
from hullwright.report import version as report
from hullwright.report.table import aligned
from hullwright.report.version import Account
from hullwright.version import Version, build_arguments
from hullwright.version.model import assemble, derive, of_tag
from hullwright.version.verify import Check, Verification

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

held = goldens(HERE)


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
    account = Account(found)
    arguments = build_arguments(found)
    forms = {
        "text": report.text(account),
        "markdown": report.markdown(account),
        "json": json.dumps(report.as_json(account), indent=2),
        "env": consumers.env(account),
        "gitlab": consumers.gitlab(account),
        "ldflags": consumers.ldflags(arguments, "main"),
        "build arguments": "\n".join(f"{key}={value}" for key, value in arguments.items()),
    }
    held(f"{name}.txt", "\n\n".join(f"== {form}\n{shown}" for form, shown in forms.items()))


def test_what_an_exported_tree_does_not_know_is_left_out() -> None:
    told = Account(replace(version_of("v1.2.3", 0, changed=False), ref="", distance=None, tag=""))
    lines = (report.text(told) + "\n" + consumers.env(told)).splitlines()
    assert "  commit      " + REVISION + ", 2026-11-21T08:30:00Z" in lines
    assert not [line for line in lines if "counted" in line or line.startswith(("DIST", "REF="))]
    shown = report.as_json(told)
    assert (shown["distance"], shown["ref"]) == (None, None)


def test_services_with_other_prefixes_have_their_own() -> None:
    api = Account(version_of("v2.0.0", 1, changed=False), ("edge",), {"a": "b"})
    told = report.as_json(Account(version_of("v1.2.3", 0, changed=False), services={"api": api}))
    assert told["version"] == "1.2.3"
    services = told["services"]
    assert isinstance(services, dict)
    assert services["api"]["version"] == "2.0.1-0.dev.1+g1a2b3c4"
    assert (services["api"]["tags"], services["api"]["labels"]) == (["edge"], {"a": "b"})
    assert "schema" not in services["api"]


def test_consumers_get_tags_and_labels() -> None:
    labels = {"org.opencontainers.image.title": "api", "odd": "two\nlines"}
    account = Account(version_of("v1.2.3", 0, changed=False), ("1.2.3", "latest"), labels)
    forms = {
        "env": consumers.env(account),
        "gitlab": consumers.gitlab(account),
        "github output": consumers.github_output(account),
        "github env": consumers.github_env(account),
    }
    held("consumers.txt", "\n\n".join(f"== {form}\n{shown}" for form, shown in forms.items()))


def test_a_value_cannot_end_itself_where_github_reads_it() -> None:
    labels = {"a": "x\nghadelimiter\nevil=1"}
    account = Account(version_of("v1.2.3", 0, changed=False), ("a", "b"), labels)
    lines = consumers.github_output(account).splitlines()
    marks = [line.partition("<<")[2] for line in lines if "<<" in line]
    assert len(marks) == 1
    assert all(lines.count(mark) == 1 for mark in marks)
    assert not any(line.startswith("evil") for line in lines)


def test_the_moment_of_a_build_is_told_where_it_is_wanted() -> None:
    version = version_of("v1.2.3", 0, changed=False)
    told = build_arguments(version, datetime(2027, 1, 2, 3, 4, 5, 678, tzinfo=UTC))
    assert told["BUILD_DATE"] == "2027-01-02T03:04:05Z"
    assert told["SOURCE_DATE_EPOCH"] == build_arguments(version)["SOURCE_DATE_EPOCH"]
    assert consumers.ldflags(told, "example.com/x/about").endswith(
        "-X example.com/x/about.date=2027-01-02T03:04:05Z"
    )


@pytest.mark.parametrize("name", ["agrees", "differs"])
def test_an_image_is_held_against_git(name: str) -> None:
    version = version_of("v1.2.3", 0, changed=False)
    label = "label org.opencontainers.image."
    if name == "agrees":
        checks = (
            Check(f"{label}version", "1.2.3", "1.2.3", held=True),
            Check(f"{label}created", "the time of the build", "2026-11-21T08:30:00Z", held=None),
            Check("its own version command", "1.2.3", "", held=None),
        )
    else:
        checks = (
            Check(f"{label}version", "1.2.3", "1.2.2", held=False),
            Check(f"{label}revision", REVISION, "", held=False),
            Check("answer to web --version", "1.2.3", "web 1.2.3", held=True),
        )
    found = Verification("shop/web:1.2.3", f"sha256:{'a' * 64}", version, checks)
    forms = {
        "text": verification.text(found),
        "markdown": verification.markdown(found),
        "json": json.dumps(verification.as_json(found), indent=2),
        "annotation": verification.differences(found),
    }
    held(f"image-{name}.txt", "\n\n".join(f"== {f}\n{shown}" for f, shown in forms.items()))


def test_a_ref_with_letters_of_a_shell_is_quoted() -> None:
    odd = replace(version_of("v1.2.3", 0, changed=False), ref="refs/heads/$(id);x")
    assert "REF='refs/heads/$(id);x'" in consumers.env(Account(odd)).splitlines()
