"""Why a program was not started: the cause is named, and no value of a variable or option is."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from hullwright.errors import ExitCode, UnavailableError
from hullwright.unstarted import missing, unstarted

LONG = "x" * 140_000


def told(
    number: int,
    *words: str,
    program: Path = Path("/bin/tool"),
    cwd: Path | None = None,
    **environment: str,
) -> UnavailableError:
    error = OSError(number, os.strerror(number))
    return unstarted(("tool", *words), str(program), cwd, environment, error)


def script(folder: Path, content: bytes) -> Path:
    path = folder / "tool"
    path.write_bytes(content)
    return path


def test_what_is_named_by_its_path_is_not_to_be_installed(tmp_path: Path) -> None:
    assert missing(str(tmp_path)).what == f"{tmp_path} is a folder, no program"
    plain = script(tmp_path, b"")
    assert missing(str(plain)).next_step == f"chmod +x {plain}"
    assert missing("./none").what == "there is no program ./none"
    assert missing("none").what == "none is not on PATH"


def test_a_script_without_a_first_line_is_told_what_it_lacks() -> None:
    error = told(errno.ENOEXEC)
    assert error.exit_code == ExitCode.UNAVAILABLE
    assert error.what == "tool cannot be started"
    assert error.next_step == "a script needs a first line such as #!/bin/sh"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"#!/none/sh -e\n:\n", "its first line names a program that is missing: /none/sh -e"),
        (b"#!/bin/sh\r\n", "ends with a carriage return"),
        (b"\x7fELF\xff", "the loader that"),
    ],
)
def test_a_missing_interpreter_is_named(tmp_path: Path, content: bytes, why: str) -> None:
    error = told(errno.ENOENT, program=script(tmp_path, content))
    assert why in error.why
    assert error.next_step


def test_a_program_that_went_away_is_not_there(tmp_path: Path) -> None:
    assert told(errno.ENOENT, program=tmp_path / "x").why == (
        f"{tmp_path}/x: No such file or directory"
    )


def test_a_folder_that_went_away_is_named(tmp_path: Path) -> None:
    error = told(errno.ENOENT, cwd=tmp_path / "gone")
    assert error.why == f"its folder {tmp_path}/gone is not there: No such file or directory"


def test_anything_else_is_in_the_systems_words(tmp_path: Path) -> None:
    assert told(errno.EACCES, cwd=tmp_path).why == "/bin/tool: Permission denied"


def test_a_variable_that_is_too_long_is_named_without_its_value() -> None:
    error = told(errno.E2BIG, "a", A="1", TOKEN=LONG)
    assert error.why == "the variable TOKEN has 140,007 bytes; the system takes 131,072"
    assert error.next_step == "shorten it, or hand its content over in a file"


def test_an_argument_that_is_too_long_is_named_without_its_value() -> None:
    assert "argument 2 has 140,001 bytes" in told(errno.E2BIG, "a", LONG).why
    error = told(errno.E2BIG, f"--secret={LONG}")
    assert "argument 1 (--secret) has 140,010 bytes" in error.why
    assert "xx" not in str(error)


def test_many_that_are_too_long_together_are_counted() -> None:
    error = told(errno.E2BIG, *(["y" * 100_000] * 30), BIG="z" * 120_000)
    assert error.why == (
        "its arguments and variables have 3,120,035 bytes, more than the system takes; "
        "the longest is the variable BIG with 120,005"
    )


def test_a_nul_is_found_where_it_is() -> None:
    error = unstarted(
        ("tool", "a\0secret"), "tool", None, {"T": "x\0y"}, ValueError("embedded null byte")
    )
    assert error.why == (
        "the variable T, argument 1: a NUL character cannot be handed to a program"
    )
    assert unstarted(("tool",), "tool", None, {}, ValueError("odd")).why == "odd"
