"""The fingerprint of inputs: every input changes it, and nothing else does."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hullwright.build.fingerprint import LABEL, Fingerprint, Inputs, changes, fingerprint_of
from hullwright.tools import published
from hullwright.tools.buildcontext import Context

if TYPE_CHECKING:
    from collections.abc import Mapping

OCI = "org.opencontainers.image."
TEXT = st.text(max_size=6)
NAMES = st.text("ABCdef_.", min_size=1, max_size=6)
TABLES = st.dictionaries(NAMES, TEXT, max_size=4)
INPUTS = st.builds(
    Inputs,
    stage=TEXT,
    dockerfile=st.binary(max_size=20),
    arguments=TABLES,
    labels=TABLES,
    platforms=st.lists(st.sampled_from(["linux/amd64", "linux/arm64"]), unique=True).map(tuple),
    secrets=st.lists(NAMES, unique=True, max_size=2).map(tuple),
    ssh=st.lists(NAMES, unique=True, max_size=2).map(tuple),
    attributes=TABLES,
    overrides=st.lists(TEXT, max_size=2).map(tuple),
    contexts=st.dictionaries(NAMES, TEXT.map(lambda text: Context(text, {})), max_size=2),
    images=TABLES,
    siblings=TABLES,
)


def turned(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return a table in the opposite order."""
    return dict(reversed(list(table.items())))


@given(INPUTS)
def test_the_order_of_what_has_none_is_no_input(inputs: Inputs) -> None:
    other = replace(
        inputs,
        arguments=turned(inputs.arguments),
        labels=turned(inputs.labels),
        platforms=inputs.platforms[::-1],
        secrets=inputs.secrets[::-1],
        attributes=turned(inputs.attributes),
        contexts=turned(inputs.contexts),
        images=turned(inputs.images),
        siblings=turned(inputs.siblings),
    )
    assert fingerprint_of(other).value == fingerprint_of(inputs).value


@given(INPUTS, TEXT)
def test_what_names_the_sources_is_no_input(inputs: Inputs, text: str) -> None:
    names = ("VERSION", "GIT_COMMIT", "GIT_REVISION", "BUILD_DATE", "SOURCE_DATE_EPOCH")
    labels = (*(f"{OCI}{n}" for n in ("version", "revision", "created", "base.digest")), LABEL)
    other = replace(
        inputs,
        arguments={**inputs.arguments, **dict.fromkeys(names, text)},
        labels={**inputs.labels, **dict.fromkeys(labels, text)},
    )
    assert fingerprint_of(other).value == fingerprint_of(inputs).value


@given(INPUTS, INPUTS)
def test_different_inputs_have_different_fingerprints(one: Inputs, other: Inputs) -> None:
    same = replace(one, platforms=()) == replace(other, platforms=())
    same = same and set(one.platforms) == set(other.platforms)
    same = same or (
        replace(one, secrets=(), ssh=(), platforms=())
        == replace(other, secrets=(), ssh=(), platforms=())
        and set(one.secrets) == set(other.secrets)
        and set(one.ssh) == set(other.ssh)
        and set(one.platforms) == set(other.platforms)
    )
    assert (fingerprint_of(one).value == fingerprint_of(other).value) is same


@pytest.mark.parametrize(
    "field",
    ["arguments", "labels", "attributes", "images", "siblings"],
)
@given(inputs=INPUTS, name=NAMES, value=TEXT)
def test_each_entry_of_a_table_is_an_input(
    field: str, inputs: Inputs, name: str, value: str
) -> None:
    table = getattr(inputs, field)
    changed: dict[str, Any] = {field: {**table, name: f"{table.get(name, '')}{value}!"}}
    assert fingerprint_of(replace(inputs, **changed)).value != fingerprint_of(inputs).value


def test_the_value_of_known_inputs_stays() -> None:
    inputs = Inputs(stage="production", dockerfile=b"FROM scratch\n", platforms=("linux/amd64",))
    assert fingerprint_of(inputs).value == (
        "666eef990b37d6a868de809f18ceef8322788010eb51d0f3fe9526e0c2c554eb"
    )


def test_registries_are_asked_for_the_label_that_builds_give() -> None:
    assert published.FINGERPRINT == LABEL


def with_files(**contents: str) -> Fingerprint:
    """Return the fingerprint of a context of these files."""
    files = {name.replace("__", "/"): text for name, text in contents.items()}
    return fingerprint_of(Inputs(contexts={"": Context(f"{sorted(files.items())}", files)}))


def told(old: Fingerprint, new: Fingerprint, folder: str = "") -> tuple[str, ...]:
    """Return what is said of the difference."""
    return changes(old.parts, new, old.files, dockerfile="Dockerfile", folders={"": folder})


def test_a_few_files_are_named() -> None:
    old, new = with_files(a="1", b="1", c="1"), with_files(a="2", b="1", d="1")
    assert told(old, new, "web/") == ("web/a changed", "web/c removed", "web/d added")


def test_many_files_are_counted_by_their_folders() -> None:
    new = with_files(top="2", **{f"src__f{n}": "1" for n in range(9)}, one__x="1")
    assert told(with_files(top="1"), new) == (
        "top changed",
        "one/x added",
        "9 files added below src/",
    )


def test_at_most_eight_changes_are_told() -> None:
    old = Inputs(arguments={f"A{n}": "1" for n in range(20)})
    new = fingerprint_of(replace(old, arguments={f"A{n}": "2" for n in range(20)}))
    found = told(fingerprint_of(old), new)
    assert len(found) == 9
    assert found[-1] == "and 12 more"


def test_each_kind_of_input_has_its_words() -> None:
    old = fingerprint_of(
        Inputs(images={"python:3.13": "1", "gone:1": "1"}, siblings={"api": "1"}, stage="a")
    )
    new = fingerprint_of(
        Inputs(
            images={"python:3.13": "2"},
            siblings={"api": "2"},
            stage="b",
            dockerfile=b"x",
            secrets=("token",),
            ssh=("default",),
            contexts={"assets": Context("1", {})},
        )
    )
    assert told(old, new) == (
        "Dockerfile changed",
        "context assets added",
        "base gone:1 removed",
        "base python:3.13 moved",
        "sibling api changed",
        "agent default added",
        "secret token added",
        "stage changed",
    )


def test_a_context_whose_listing_is_gone_changed_as_a_whole() -> None:
    old, new = with_files(a="1"), with_files(a="2")
    assert changes(old.parts, new, {}, dockerfile="D", folders={}) == ("the context changed",)
