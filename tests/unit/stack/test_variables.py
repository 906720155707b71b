"""Which variables the compose files ask for without a default."""

from __future__ import annotations

import pytest

from hullwright.stack.variables import Use, active_services, env_files, uses


def found(text: str) -> list[Use]:
    written = {"services": {"app": {"environment": {"A": text}}}}
    return uses(written, ["app"])


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("${A}", ["A"]),
        ("$A", ["A"]),
        ("x$A/y", ["A"]),
        ("${A-}", []),
        ("${A:-x}", []),
        ("${A:+x}", []),
        ("$$A", []),
        ("$${A}", []),
        ("$$$A", ["A"]),
        ("${A}${B}", ["A", "B"]),
        ("100$", []),
        ("$1", []),
        ("${A:-${B}}", ["B"]),
        ("${A:-${B:-x}}", []),
    ],
)
def test_what_has_no_default_is_asked_for(text: str, names: list[str]) -> None:
    assert [use.name for use in found(text)] == names


def test_what_compose_insists_on_is_told_apart() -> None:
    place = "services.app.environment.A"
    assert found("${A:?no}") == [Use("A", place, filled=True, must=True)]
    assert found("${A?no}") == [Use("A", place, must=True)]
    assert found("${A}") == [Use("A", place)]


def test_idle_services_and_extensions_count_only_where_compose_insists() -> None:
    written = {
        "x-common": {"A": "${IDLE}", "B": "${FIRST:?}"},
        "services": {"idle": {"image": "${IDLE}", "command": ["${SECOND?}"]}, "app": {}},
        "volumes": {"data": {"name": "${THIRD}"}},
    }
    assert [(use.name, use.place) for use in uses(written, ["app"])] == [
        ("FIRST", "x-common.B"),
        ("SECOND", "services.idle.command.0"),
        ("THIRD", "volumes.data.name"),
    ]


def test_services_are_active_by_their_profiles() -> None:
    written = {"services": {"a": {}, "b": {"profiles": ["x"]}, "c": {"profiles": ["y", "z"]}}}
    assert active_services(written, []) == ["a"]
    assert active_services(written, ["z"]) == ["a", "c"]
    assert active_services(written, ["*"]) == ["a", "b", "c"]


def test_env_files_are_read_in_each_of_their_forms() -> None:
    written = {
        "services": {
            "a": {"env_file": "/x/.env"},
            "b": {"env_file": ["/x/1", {"path": "/x/2", "required": False}]},
            "c": {},
        }
    }
    assert env_files(written, "a") == [("/x/.env", True)]
    assert env_files(written, "b") == [("/x/1", True), ("/x/2", False)]
    assert env_files(written, "c") == []


def test_lines_stand_in_where_compose_cannot_give_the_model() -> None:
    written = {"services": {}, "x-lines": {"compose.yaml:4": "nofile: ${A:?}", "b.yml:1": "${B}"}}
    assert uses(written, []) == [Use("A", "compose.yaml:4", filled=True, must=True)]
