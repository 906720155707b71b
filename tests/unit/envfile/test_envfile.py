"""Making .env from its example, and telling what is set where."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from hullwright import envfile
from hullwright.config.models import Config, Secrets
from hullwright.errors import ExitCode, LockedError, UsageError
from hullwright.report import env as report
from hullwright.tools import dotenv
from hullwright.tools.placeholders import is_placeholder
from hullwright.workspace import Workspace
from repositories import workspace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EXAMPLE = """\
# The database's password.
POSTGRES_PASSWORD=change-me
API_TOKEN=<a long random text>  # given to clients
SESSION_KEY=

# The port.
PORT=8080
GREETING="hello # world"
# OPTIONAL=1
POSTGRES_PASSWORD_FILE=
"""


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    """A folder with an example, outside of any repository."""
    (tmp_path / ".env.example").write_text(EXAMPLE, encoding="utf-8")
    return workspace(tmp_path, {"HOME": str(tmp_path)}, Config("p"))


@pytest.mark.parametrize(
    ("name", "value", "stands_for_one"),
    [
        ("A", "change-me", True),
        ("A", "CHANGEME", True),
        ("A", "replace-me", True),
        ("A", "<your value>", True),
        ("A", "", False),
        ("A", "please change-me", False),
        ("DB_PASSWORD", "", True),
        ("APP_SECRET", "", True),
        ("CI_TOKEN", "", True),
        ("SIGNING_KEY", "", True),
        ("KEY_OF_API", "", True),
        ("MONKEY", "", False),
        ("KEYCLOAK_URL", "", False),
        ("DB_PASSWORD_FILE", "", False),
        ("AWS_ACCESS_KEY_ID", "", False),
        ("DB_PASSWORD", "set", False),
    ],
)
def test_placeholders_are_known(name: str, value: str, *, stands_for_one: bool) -> None:
    assert is_placeholder(name, value) is stands_for_one


def test_placeholders_get_strong_values_and_everything_else_stays(ws: Workspace) -> None:
    made = envfile.init(ws)
    target = ws.root / ".env"
    text = target.read_text(encoding="utf-8")
    values = {entry.name: entry.value for entry in dotenv.entries(text) if not entry.commented}
    assert made.generated == ("POSTGRES_PASSWORD", "API_TOKEN", "SESSION_KEY")
    assert made.copied == ("PORT", "GREETING", "POSTGRES_PASSWORD_FILE")
    generated = [values[name] for name in made.generated]
    assert len(set(generated)) == 3
    assert all(len(value) >= 43 for value in generated)
    assert "# given to clients" in text
    assert 'PORT=8080\nGREETING="hello # world"\n# OPTIONAL=1\n' in text
    assert target.stat().st_mode & 0o777 == 0o600
    assert {secret.reveal() for secret in ws.runner.secrets} == set(generated)
    assert all(value not in report.made(made) for value in generated)


def test_an_existing_file_is_never_overwritten(ws: Workspace) -> None:
    target = ws.root / ".env"
    target.write_text("PORT=1", encoding="utf-8")
    with pytest.raises(UsageError, match="is never overwritten") as error:
        envfile.init(ws)
    assert error.value.exit_code == 2
    assert "--merge" in error.value.next_step
    assert target.read_text(encoding="utf-8") == "PORT=1"


def test_a_merge_adds_what_is_missing_and_keeps_what_is_there(ws: Workspace) -> None:
    target = ws.root / ".env"
    target.write_text("PORT=1\nAPI_TOKEN='mine'", encoding="utf-8")
    made = envfile.init(ws, merge=True)
    text = target.read_text(encoding="utf-8")
    assert text.startswith("PORT=1\nAPI_TOKEN='mine'\nPOSTGRES_PASSWORD=")
    assert text.endswith('\nGREETING="hello # world"\nPOSTGRES_PASSWORD_FILE=\n')
    assert made.kept == ("API_TOKEN", "PORT")
    assert made.generated == ("POSTGRES_PASSWORD", "SESSION_KEY")
    assert target.stat().st_mode & 0o777 == 0o600


def test_a_plan_shows_no_value(ws: Workspace) -> None:
    plan = envfile.plan_init(ws)
    assert plan.text() == (
        "create .env (mode 0600)\n"
        "  POSTGRES_PASSWORD: a random value of 32 bytes\n"
        "  API_TOKEN: a random value of 32 bytes\n"
        "  SESSION_KEY: a random value of 32 bytes\n"
        "  PORT: as in .env.example\n"
        "  GREETING: as in .env.example\n"
        "  POSTGRES_PASSWORD_FILE: as in .env.example"
    )
    assert not (ws.root / ".env").exists()
    assert "content" not in repr(plan)


def test_a_value_is_as_long_as_production_asks_for(tmp_path: Path) -> None:
    (tmp_path / ".env.example").write_text(EXAMPLE, encoding="utf-8")
    long = Config("p", secrets=Secrets(min_length={"SESSION_KEY": 64, "API_TOKEN": 3}))
    ws = workspace(tmp_path, {"HOME": str(tmp_path)}, long)
    assert "SESSION_KEY: a random value of 48 bytes" in envfile.plan_init(ws).text()
    envfile.init(ws)
    text = (tmp_path / ".env").read_text(encoding="utf-8")
    values = {entry.name: entry.value for entry in dotenv.entries(text)}
    assert len(values["SESSION_KEY"]) == 64
    assert len(values["API_TOKEN"]) == len(values["POSTGRES_PASSWORD"]) == 43


def test_without_an_example_nothing_is_made(ws: Workspace) -> None:
    (ws.root / ".env.example").unlink()
    with pytest.raises(UsageError, match=r"\.env\.example is missing") as error:
        envfile.init(ws)
    assert error.value.exit_code == 2


def test_each_variable_is_listed_with_its_places(tmp_path: Path) -> None:
    (tmp_path / ".env.example").write_text(EXAMPLE, encoding="utf-8")
    (tmp_path / ".env").write_text("API_TOKEN=v1\nOWN=v2\nPOSTGRES_PASSWORD=\n", encoding="utf-8")
    sealed = "db:\n    host: ENC[x]\nAPI_TOKEN: ENC[x]\nsops:\n    mac: ENC[x]\n"
    (tmp_path / ".env.sops.yaml").write_text(sealed, encoding="utf-8")
    ws = workspace(tmp_path, {"API_TOKEN": "v3", "HOME": "v4"}, Config("p"))
    found = envfile.listing(ws)
    assert found.missing == ("POSTGRES_PASSWORD", "SESSION_KEY")
    assert report.text(found).splitlines() == [
        "✗  POSTGRES_PASSWORD       missing",
        "✓  API_TOKEN               environment, .env.sops.yaml, .env",
        "✗  SESSION_KEY             missing",
        "·  PORT                    optional, not set",
        "·  GREETING                optional, not set",
        "·  OPTIONAL                optional, not set",
        "·  POSTGRES_PASSWORD_FILE  optional, not set",
        "✓  OWN                     .env                               not in .env.example",
        "✓  DB_HOST                 .env.sops.yaml                     not in .env.example",
        "",
        "2 variables are missing · values for them: invoke env --init --merge",
    ]
    assert "v1" not in f"{report.as_json(found)}{report.markdown(found)}"


def test_what_a_compose_file_asks_for_is_listed_and_required(tmp_path: Path) -> None:
    (tmp_path / ".env.example").write_text("GREETING=hello\n", encoding="utf-8")
    ws = workspace(tmp_path, {}, Config("p"))
    asked = {"GREETING": True, "PASSWORD": True, "PORT": False}
    told = report.text(envfile.listing(ws, asked)).splitlines()
    assert told == [
        "✗  GREETING  missing",
        "✗  PASSWORD  missing            not in .env.example",
        "·  PORT      optional, not set  not in .env.example",
        "",
        "2 variables are missing · write PASSWORD into .env.example, then: invoke env --init",
    ]
    (tmp_path / ".env.example").unlink()
    last = report.text(envfile.listing(ws, asked)).splitlines()[-1]
    assert last == "2 variables are missing · write NAME=value for each into .env"


def test_a_repository_without_variables_says_so(tmp_path: Path) -> None:
    found = envfile.listing(workspace(tmp_path, {}, Config("p")))
    assert report.text(found) == report.EMPTY
    assert report.as_json(found) == {"schema": 1, "variables": [], "missing": []}


def test_what_another_run_writes_is_left_to_it(ws: Workspace) -> None:
    target = ws.root / ".env"
    with ws.writing(target, ".env"), pytest.raises(LockedError) as raised:
        envfile.init(ws)
    assert raised.value.exit_code == ExitCode.LOCKED
    assert not target.exists()


def test_a_file_that_came_to_stand_there_is_seen_under_the_lock(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run that held the lock before us has written its file when we get it."""
    taken = Workspace.writing

    @contextmanager
    def writing(self: Workspace, target: Path, what: str) -> Iterator[None]:
        with taken(self, target, what):
            target.write_text("API_TOKEN=theirs\n", encoding="utf-8")
            yield

    monkeypatch.setattr(Workspace, "writing", writing)
    with pytest.raises(UsageError, match="never overwritten"):
        envfile.init(ws)
    assert (ws.root / ".env").read_text(encoding="utf-8") == "API_TOKEN=theirs\n"
