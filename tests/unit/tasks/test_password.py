"""The password of a login where a person is asked for it."""

from __future__ import annotations

import getpass
import sys
from types import SimpleNamespace
from typing import NoReturn

import pytest
from invoke import Config, Context

from hullwright.errors import ExitCode, UsageError
from hullwright.tasks.registering import _password
from hullwright.tasks.session import Session


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard input is a terminal."""
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: True))


def ended(*_: object) -> NoReturn:
    """Answer a prompt with Ctrl-D."""
    raise EOFError


def test_what_is_typed_is_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getpass", lambda *_: "correct horse")
    assert _password(Session(Context(Config())), "r.example.com", "ada").reveal() == "correct horse"


@pytest.mark.parametrize("answer", [ended, lambda *_: ""])
def test_who_types_none_is_told_of_the_other_way(
    monkeypatch: pytest.MonkeyPatch, answer: object
) -> None:
    monkeypatch.setattr(getpass, "getpass", answer)
    with pytest.raises(UsageError) as caught:
        _password(Session(Context(Config())), "r.example.com", "ada")
    assert caught.value.exit_code == ExitCode.USAGE
    assert caught.value.what == "no password was typed"
    assert caught.value.next_step.endswith("| invoke login --registry r.example.com --username ada")
