"""Where decrypted secrets would go, and what is told of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from hullwright.config.models import Config, Environment
from hullwright.errors import UsageError
from hullwright.report import secrets as report
from hullwright.secrets import Decrypted, plan_decrypt
from replaying import workspace

if TYPE_CHECKING:
    from pathlib import Path

    from hullwright.workspace import Workspace

DONE = Decrypted("development", "a.env", ".env", ("A", "B"))


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    """A repository of two environments, without Git."""
    folder = tmp_path / "deploy" / "environments"
    folder.mkdir(parents=True)
    (folder / "production.sops.yaml").touch()
    for name in (".env.sops.yaml", "cert.p12", "hullwright.toml"):
        (tmp_path / name).touch()
    config = Config("p", environments={"production": Environment("production", production=True)})
    return replace(workspace(tmp_path), config=config)


@pytest.mark.parametrize(
    ("env", "output", "form", "written"),
    [
        (None, "", "dotenv", ".env"),
        ("development", "", "dotenv", ".env"),
        ("production", "", "dotenv", ".env.production"),
        ("production", "", "json", ".env.production.json"),
        (None, "", "yaml", ".env.yaml"),
        ("production", "x", "dotenv", "x"),
        (None, "-", "dotenv", "-"),
    ],
)
def test_other_environments_and_forms_do_not_replace_the_developers_file(
    ws: Workspace, env: str | None, output: str, form: str, written: str
) -> None:
    assert plan_decrypt(ws, env=env, output=output, form=form).output == written


def test_a_plan_says_what_is_written_where_and_in_which_form(ws: Workspace) -> None:
    texts = [
        plan_decrypt(ws).text(),
        plan_decrypt(ws, output="cert.p12", form="json").text(),
        plan_decrypt(ws, output="-", file="cert.p12").text(),
    ]
    assert texts == [
        "create .env (mode 0600): decrypted from .env.sops.yaml",
        "replace cert.p12 (mode 0600): decrypted from .env.sops.yaml, as json",
        "print to standard output: decrypted from cert.p12, as it is",
    ]


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"form": "toml"}, 'unknown format "toml"'),
        ({"file": "cert.p12"}, "--output is missing: where cert.p12"),
        ({"file": ".env.sops.yaml"}, "--output is missing"),
        ({"file": "cert.p12", "output": "x", "form": "json"}, "cannot be written as json"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(
    ws: Workspace, wanted: dict[str, str], message: str
) -> None:
    with pytest.raises(UsageError, match=message) as error:
        plan_decrypt(ws, **wanted)
    assert error.value.exit_code == 2


def test_the_rules_of_an_environment_hold_for_its_file_by_whatever_name(ws: Workspace) -> None:
    named = "deploy/environments/../environments/production.sops.yaml"
    source = plan_decrypt(ws, file=named, output="-").source
    assert (source.environment, source.production) == ("production", True)
    assert source.name == "deploy/environments/production.sops.yaml"
    other = plan_decrypt(ws, file="cert.p12", env="production", output="-").source
    assert (other.environment, other.production, other.name) == ("production", True, "cert.p12")


@pytest.mark.parametrize(
    ("done", "told"),
    [
        (DONE, "2 variables"),
        (replace(DONE, names=("A",)), "1 variable"),
        (replace(DONE, form="json"), "2 values as json"),
        (replace(DONE, form="yaml", names=("A",)), "1 value as yaml"),
        (replace(DONE, form="as it is", names=(), content=b"abc"), "3 bytes"),
    ],
)
def test_it_is_told_how_much_was_written(done: Decrypted, told: str) -> None:
    first = report.text(done).splitlines()[0]
    assert first == f"✓ .env   {told} of development from a.env, mode 0600"
    assert "abc" not in f"{done}"


def test_quotes_that_stay_are_told() -> None:
    assert report.kept_quotes(DONE) == ""
    told = report.kept_quotes(replace(DONE, quoted=("A", "B")))
    assert told == "a.env: the quotes around A, B are part of the value for SOPS"
