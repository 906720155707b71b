"""What the engine and Compose say when they refuse something, in their own words."""

from __future__ import annotations

import pytest

from hullwright.stack import words
from hullwright.stack.words import Refusal


@pytest.mark.parametrize(
    ("text", "kind", "subject"),
    [
        ("Error response from daemon: No such image: x:1", "image-missing", "x:1"),
        (
            "Error response from daemon: pull access denied for team/x, repository does not exist",
            "image-missing",
            "team/x",
        ),
        (
            "image with reference x:1 was found but does not match the specified platform",
            "wrong-platform",
            "x:1",
        ),
        ("no match for platform in manifest: not found", "wrong-platform", ""),
        (
            "dependency failed to start: container x-db-1 is unhealthy",
            "dependency",
            "x-db-1",
        ),
        ("dependency failed to start: container x-db-1 exited (0)", "dependency", "x-db-1"),
        ('service "migrate" didn\'t complete successfully: exit 1', "dependency", "migrate"),
        ("required variable TOKEN is missing a value", "missing-value", "TOKEN"),
        ("Bind for [::]:8080 failed: port is already allocated", "port-taken", "8080"),
        ("write /x: no space left on device", "disk-full", ""),
        ("network x not found", "cannot-start", ""),
    ],
)
def test_a_refusal_has_its_cause(text: str, kind: str, subject: str) -> None:
    found = words.refusal(text)
    assert (found.kind, found.subject) == (kind, subject)


def test_a_program_that_could_not_be_run_is_named_with_why() -> None:
    text = 'runc create failed: exec: "serve": executable file not found in $PATH: unknown'
    assert words.refusal(text) == Refusal(
        "command-not-found", "serve", "executable file not found in $PATH"
    )
    assert words.program_in("queue is full") == ("", "")


def test_errors_are_sorted_out_of_progress_and_warnings() -> None:
    output = ['time="x" level=warning msg="failed to"', " Container x  Starting", "Error: no"]
    assert words.errors_of(output) == ["Error: no"]
    assert words.errors_of([" Container x  Starting"]) == ["Container x  Starting"]


@pytest.mark.parametrize(
    ("stack", "lines", "told"),
    [
        ("default", 2, "invoke logs --service db   (the last 2 follow)"),
        ("b", 1, "invoke logs --service db --stack b   (the last one follows)"),
        ("b", 0, "invoke logs --service db --stack b   (it wrote nothing)"),
        ("", 1, "the last one follows"),
        ("", 0, "it wrote nothing"),
    ],
)
def test_the_logs_of_a_throwaway_are_not_to_be_asked_for(stack: str, lines: int, told: str) -> None:
    assert words.logs_of(stack, "db", lines) == told


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (" Container shop-db-1  Running", "shop-db-1"),
        (" Container shop-db-1  Restarting", ""),
        ("shop-db-1 Running", ""),
    ],
)
def test_what_compose_leaves_as_it_runs_is_known(line: str, name: str) -> None:
    assert words.kept_in(line) == name
