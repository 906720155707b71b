"""The commands of sops that change a file, word for word; no value is ever a word."""

from __future__ import annotations

from pathlib import Path

import pytest

from hullwright.errors import UnavailableError
from hullwright.outcome import Result
from hullwright.secret import Secret
from hullwright.tools import sopswriting
from replaying import Replay

FILE = Path("/bench/.env.sops.yaml")
RULES = Path("/bench/.sops.yaml")
OK = Result(("sops",), 0)
TYPES = ("--input-type", "yaml", "--output-type", "yaml")


@pytest.fixture
def runner() -> Replay:
    return Replay({"PATH": "/bin"}, results={("sops",): OK})


@pytest.mark.parametrize(
    ("path", "told"),
    [
        (("A",), '["A"]'),
        (("db", "ports", 0), '["db"]["ports"][0]'),
        (('a"b\\', "ä"), '["a\\"b\\\\"]["ä"]'),
    ],
)
def test_a_place_is_told_as_sops_takes_it(path: tuple[str | int, ...], told: str) -> None:
    assert sopswriting.index(path) == told


def test_a_value_goes_by_standard_input_and_is_not_echoed(runner: Replay) -> None:
    told: list[str] = []
    runner.echo = told.append
    value = Secret('a "b"\n')
    sopswriting.set_value(runner, FILE, ("A",), value, kind="yaml", env={})
    (call,) = runner.calls
    assert call.argv == ("sops", "set", *TYPES, "--value-stdin", str(FILE), '["A"]')
    assert call.stdin == '"a \\"b\\"\\n"'
    (line,) = told
    assert line == (
        "(cd /bench && sops set --input-type yaml --output-type yaml --value-stdin "
        "/bench/.env.sops.yaml '[\"A\"]')   # the value comes by standard input"
    )


def test_what_is_encrypted_goes_by_standard_input(runner: Replay) -> None:
    plain = Secret('{"A": "b"}')
    sopswriting.encrypt(
        runner, plain, name="x.yaml", config=RULES, kind="yaml", cwd=RULES.parent, env={}
    )
    (call,) = runner.calls
    head = ("sops", "--config", str(RULES), "encrypt", "--filename-override", "x.yaml")
    tail = ("--input-type", "json", "--output-type", "yaml", "/dev/stdin")
    assert call.argv == (*head, *tail)
    assert call.stdin == '{"A": "b"}'


def test_the_other_commands(runner: Replay) -> None:
    sopswriting.rotate(runner, FILE, kind="yaml", env={})
    sopswriting.update_keys(runner, FILE, config=RULES, kind="yaml", env={})
    words = ("updatekeys", "--yes", "--input-type", "yaml", str(FILE))
    assert [call.argv for call in runner.calls] == [
        ("sops", "rotate", *TYPES, "--in-place", str(FILE)),
        ("sops", "--config", str(RULES), *words),
    ]
    assert {call.cwd for call in runner.calls} == {RULES.parent}


def test_a_sops_that_takes_no_value_there_is_too_old(tmp_path: Path) -> None:
    failed = Result(("sops",), 1, "", "flag provided but not defined")
    version = Result(("sops",), 0, "sops 3.10.2 (latest)")
    (tmp_path / "sops").write_text("#!/bin/sh\n", encoding="utf-8")
    (tmp_path / "sops").chmod(0o755)
    results: dict[tuple[str, ...], Result] = {
        ("sops", "set"): failed,
        ("sops", "--version"): version,
    }
    runner = Replay({"PATH": str(tmp_path)}, results=results)
    with pytest.raises(UnavailableError, match=r"too old: 3\.10\.2, and 3\.11 is needed") as error:
        sopswriting.set_value(runner, FILE, ("A",), Secret("x"), kind="yaml", env={})
    assert error.value.exit_code == 3
