"""Which values a command gets, without starting one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from hullwright.config.models import Config, Secrets
from hullwright.errors import UnavailableError, UsageError
from hullwright.run import DryRunner, Runner
from hullwright.secret import Secret
from hullwright.secrets import handing, run_with
from replaying import workspace

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

VALUES = {"A": Secret("of a secret"), "B": Secret("of another"), "PORT": Secret("8080")}


@dataclass
class Becoming(Runner):
    """Keeps what the process would have become."""

    became: list[tuple[tuple[str, ...], dict[str, str | Secret]]] = field(default_factory=list)

    def become(self, *argv: str, env: Mapping[str, str | Secret] | None = None) -> int:
        self.became.append((argv, dict(env or {})))
        return 0


def run(
    root: Path,
    patch: pytest.MonkeyPatch,
    *words: str,
    only: tuple[str, ...] = (),
    values: Mapping[str, Secret] = VALUES,
) -> dict[str, str | Secret]:
    (root / ".env.sops.yaml").touch()
    runner = Becoming({"PATH": "/bin:/usr/bin"})
    config = Config("shop", secrets=Secrets(public=("PORT",)))
    patch.setattr(handing, "read", lambda *_: values)
    assert run_with(workspace(root, config, runner), words, only=only) == 0
    ((argv, given),) = runner.became
    assert argv == words
    return given


def test_a_command_gets_all_values_or_those_that_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(tmp_path, monkeypatch, "true", "x") == {**VALUES, "PORT": "8080"}
    assert run(tmp_path, monkeypatch, "true", only=("B",)) == {"B": VALUES["B"]}


def test_a_command_gets_no_key_of_sops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env.sops.yaml").touch()
    got: list[dict[str, str]] = []
    monkeypatch.setattr(handing, "read", lambda *_: VALUES)
    monkeypatch.setattr(
        "hullwright.run.become", lambda _program, _words, environ: got.append(environ)
    )
    keys = dict.fromkeys(
        ("SOPS_AGE_KEY", "SOPS_AGE_KEY_FILE", "SOPS_AGE_KEY_CMD", "SOPS_AGE_SSH_PRIVATE_KEY_FILE"),
        "of a key",
    )
    kept = {"PATH": "/bin:/usr/bin", "SOPS_AGE_RECIPIENTS": "age1public"}
    run_with(workspace(tmp_path, None, Runner({**kept, **keys})), ["true"])
    assert got == [{**kept, **{name: value.reveal() for name, value in VALUES.items()}}]


def test_a_name_that_is_not_there_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match=r'unknown variable of .env.sops.yaml "PRT"') as caught:
        run(tmp_path, monkeypatch, "true", only=("PRT",))
    assert 'did you mean "PORT"?' in str(caught.value)


def test_a_value_over_the_limit_is_named_unless_it_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # NAME=value and the NUL that ends it are 131,072 bytes at most.
    values = {"A": VALUES["A"], "BIG": Secret("x" * 131_067)}
    assert len(run(tmp_path, monkeypatch, "true", values=values)) == 2
    values = {"A": VALUES["A"], "BIG": Secret("x" * 131_068)}
    with pytest.raises(UsageError, match="the value of BIG is too long for a variable: 131,068"):
        run(tmp_path, monkeypatch, "true", values=values)
    assert run(tmp_path, monkeypatch, "true", values=values, only=("A",)) == {"A": VALUES["A"]}


def test_a_program_that_is_not_there_is_told_of_before_anything_is_decrypted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handing, "read", lambda *_: pytest.fail("it was decrypted"))
    (tmp_path / ".env.sops.yaml").touch()
    with pytest.raises(UnavailableError, match="no-such-program is not on PATH"):
        run_with(workspace(tmp_path, None, Becoming({"PATH": "/bin"})), ["no-such-program"])


def test_a_dry_run_tells_of_names_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env.sops.yaml").touch()
    told: list[str] = []
    monkeypatch.setattr(handing, "read", lambda *_: VALUES)
    runner = DryRunner({"PATH": "/bin:/usr/bin"}, echo=told.append)
    assert run_with(workspace(tmp_path, None, runner), ["true", "x y"]) == 0
    assert len(told) == 1
    assert told[0].endswith("true 'x y'")
    assert "of a secret" not in told[0]
