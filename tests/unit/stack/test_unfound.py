"""A check whose program is missing is told by its shell's words, and by nothing looser."""

from __future__ import annotations

import pytest

from hullwright.stack import unfound

CURL = "curl -f http://127.0.0.1/ || exit 1"


@pytest.mark.parametrize(
    ("test", "output", "program"),
    [
        (CURL, "/bin/sh: curl: not found", "curl"),
        (CURL, "/bin/sh: 1: curl: not found", "curl"),
        (CURL, "sh: curl: not found", "curl"),
        (CURL, "bash: line 1: curl: command not found", "curl"),
        (CURL, "/bin/bash: curl: command not found", "curl"),
        ("/etc/check || exit 1", "/bin/sh: 1: /etc/check: Permission denied", "/etc/check"),
        ("/opt/x y||exit 1", "/bin/bash: line 1: /opt/x: No such file or directory", "/opt/x"),
        ("wget -q x || curl x || exit 1", "sh: wget: not found\nsh: curl: not found", "wget"),
        ("curl x | grep ok || exit 1", "sh: curl: not found", "curl"),
        ('[ "$(curl -s x)" = 200 ] || exit 1', "sh: curl: not found", "curl"),
        ("if ! curl -f x; then exit 1; fi", "sh: curl: not found", "curl"),
        ("A=1 curl x 2>&1 || (echo no; exit 1)", "sh: 1: curl: not found", "curl"),
    ],
)
def test_a_program_that_the_check_runs_is_missing(test: str, output: str, program: str) -> None:
    assert unfound.program(("CMD-SHELL", test), output) == program


@pytest.mark.parametrize(
    ("test", "output"),
    [
        (CURL, "curl: (7) Failed to connect to 127.0.0.1 port 80"),
        (CURL, "module: not found"),
        (CURL, "/bin/sh: wget: not found"),
        (CURL, "GET /curl: not found"),
        # The other one is there, and may hold later.
        ("wget -q x || curl x || exit 1", "sh: wget: not found\ncurl: (7) refused"),
        ("curl x; test -f /ready", "sh: curl: not found"),
        ("test -f /ready || curl x", "sh: curl: not found"),
        # A file that comes later is no program of the check.
        ("cat < /ready || exit 1", "sh: line 1: /ready: No such file or directory"),
        ("grep curl /log || exit 1", "sh: curl: not found"),
        ("", "sh: curl: not found"),
    ],
)
def test_words_of_something_else_are_no_verdict(test: str, output: str) -> None:
    assert unfound.program(("CMD-SHELL", test), output) == ""


def test_a_shell_may_also_be_written_out() -> None:
    said = "sh: curl: not found"
    assert unfound.program(("CMD", "/bin/sh", "-c", CURL), said) == "curl"
    assert unfound.program(("CMD", "sh", "-ec", CURL), said) == "curl"
    assert unfound.program(("CMD", "curl", "-f", "x"), said) == ""
    assert not unfound.is_shell(("CMD", "curl", "-c", "x"))
    assert not unfound.is_shell(())
