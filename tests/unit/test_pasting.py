"""Commands as text for a shell: quoting, folders, here-documents, secrets."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from hullwright.pasting import pasted
from hullwright.run import DryRunner
from hullwright.secret import Secret

ELSEWHERE = Path("/else where")


def test_the_folder_is_told_of_where_it_is_not_the_shells_own() -> None:
    assert pasted(["ls", "a b"], cwd=Path.cwd()) == "ls 'a b'"
    assert pasted(["ls"], cwd=ELSEWHERE) == "(cd '/else where' && ls)"


def test_a_folder_that_is_gone_is_not_the_shells_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert pasted(["ls"], cwd=tmp_path) == f"(cd {shlex.quote(str(tmp_path))} && ls)"
    # pytest goes back to where it was.
    monkeypatch.undo()


def test_a_secret_comes_from_the_shell_that_it_is_pasted_into() -> None:
    given: dict[str, str | Secret] = {"TOKEN": Secret("hunter2"), "A": "it's"}
    assert pasted(["curl"], env=given) == """TOKEN="${TOKEN:?}" A='it'"'"'s' curl"""


@pytest.mark.parametrize(
    ("text", "document"),
    [
        ("{}\n", "<<'EOF'\n{}\nEOF"),
        ("{}", "<<'EOF'\n{}\nEOF"),
        ("", "<<'EOF'\nEOF"),
        ("a\n\n", "<<'EOF'\na\n\nEOF"),
        ("EOF\nEOF_\n", "<<'EOF__'\nEOF\nEOF_\nEOF__"),
    ],
)
def test_standard_input_is_a_here_document(text: str, document: str) -> None:
    assert pasted(["cat", "-"], stdin=text) == f"cat - {document}"
    assert pasted(["cat"], stdin=text, cwd=ELSEWHERE) == (f"(cd '/else where' && cat {document}\n)")


def test_a_secret_in_standard_input_is_not_told() -> None:
    told: list[str] = []
    runner = DryRunner({}, echo=told.append, secrets={Secret("hunter2")})
    runner.run("login", stdin="user\nhunter2\n")
    runner.stream("login", stdin="hunter2", on_line=pytest.fail)
    assert told == ["login <<'EOF'\nuser\n***\nEOF", "login <<'EOF'\n***\nEOF"]
