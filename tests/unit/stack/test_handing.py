"""Where a stack's values may come from, and what stands for files that are left out."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from hullwright import stack
from hullwright.config.models import Config, Stack
from hullwright.errors import UsageError
from hullwright.outcome import Result
from hullwright.secret import Secret
from hullwright.stack import handing, secretfiles
from hullwright.stack.override import Override, Tagged
from hullwright.stack.variables import asked_for, uses
from hullwright.tools import secretfolder
from hullwright.tools.compose import parse_model
from replaying import Replay, workspace

if TYPE_CHECKING:
    from pathlib import Path

    from hullwright.stack.selection import Selection
    from hullwright.workspace import Workspace

GIVEN: dict[str, str | Secret] = {"PASSWORD": Secret("correct horse"), "TOKEN": Secret("battery")}
LONG = "x" * 131_072
CONFIG = ("docker", "compose")


def selected(
    root: Path, given: dict[str, str | Secret] | None = None, **environ: str
) -> tuple[Workspace, Selection]:
    (root / "compose.yaml").touch()
    config = Config("shop", stacks={"default": Stack("default", ("compose.yaml",))})
    ws = workspace(root, config, Replay({}), **environ)
    return ws, stack.select(ws, environment=GIVEN if given is None else given)


def answering(ws: Workspace, **values: str) -> None:
    """Let Compose say what `.env` has."""
    told = json.dumps({"services": {"probe": {"environment": values}}})
    assert isinstance(ws.runner, Replay)
    ws.runner.results = {CONFIG: Result(CONFIG, 0, told)}


def overridden(root: Path, files: list[Any], **own: Any) -> dict[str, Any]:
    """Return what the override says of a service that reads env files."""
    ws, selection = selected(root)
    override = Override()
    written = {"services": {"app": {"env_file": files, **own}}}
    handing.given_env_files(ws, selection, written, override)
    return override.services.get("app", {})


def test_an_absent_env_file_is_replaced_by_the_keys_of_its_example(tmp_path: Path) -> None:
    (tmp_path / "app.env.example").write_text("TOKEN=change-me\n# PASSWORD=\nLEVEL=info\n")
    assert overridden(tmp_path, [str(tmp_path / "app.env")]) == {
        "environment": {"TOKEN": None},
        "env_file": Tagged("!override", []),
    }


@pytest.mark.parametrize("example", ["app.env.example", "app.example.env"])
def test_each_service_gets_the_keys_of_its_own_file(tmp_path: Path, example: str) -> None:
    (tmp_path / example).write_text("TOKEN=\n")
    ws, selection = selected(tmp_path)
    override = Override()
    services = {
        "app": {"env_file": str(tmp_path / "app.env")},
        "db": {"env_file": str(tmp_path / "db.env"), "environment": ["PASSWORD"]},
    }
    handing.given_env_files(ws, selection, {"services": services}, override)
    assert override.services["app"]["environment"] == {"TOKEN": None}
    # Nothing says what the other one is to have: all that is given and that it has not itself.
    assert override.services["db"]["environment"] == {"TOKEN": None}


def test_a_long_value_that_is_handed_over_as_a_file_may_stand_beside_an_absent_env_file(
    tmp_path: Path,
) -> None:
    ws, selection = selected(tmp_path, {"TOKEN": Secret("battery"), "LONG": Secret(LONG)})
    app = {"env_file": [str(tmp_path / "app.env")], "secrets": ["long"]}
    written = {"services": {"app": app}, "secrets": {"long": {"environment": "LONG"}}}
    override = Override()
    handing.given_env_files(ws, selection, written, override)
    assert override.services["app"]["environment"] == {"TOKEN": None}
    with pytest.raises(UsageError, match="the value of LONG is too long"):
        handing.given_env_files(ws, selection, written | {"secrets": {}}, override)


def test_an_optional_file_without_an_example_brings_nothing(tmp_path: Path) -> None:
    files = [{"path": str(tmp_path / "local.env"), "required": False}]
    assert overridden(tmp_path, files) == {"env_file": Tagged("!override", [])}


def test_a_file_that_is_there_is_read_and_one_that_was_decrypted_is_not(tmp_path: Path) -> None:
    path = tmp_path / "app.env"
    path.write_text("LEVEL=info\n")
    assert overridden(tmp_path, [str(path)]) == {}
    path.write_text("# Decrypted from .env.sops.yaml; …\nTOKEN=old\n")
    assert overridden(tmp_path, [str(path)]) == {
        "environment": {"PASSWORD": None, "TOKEN": None},
        "env_file": Tagged("!override", []),
    }


def test_without_values_an_absent_env_file_is_an_error(tmp_path: Path) -> None:
    ws, selection = selected(tmp_path, {})
    written = {"services": {"app": {"env_file": str(tmp_path / "app.env")}}}
    with pytest.raises(UsageError, match="1 env file does not exist"):
        handing.given_env_files(ws, selection, written, Override())


@pytest.mark.parametrize(
    ("dotenv", "example", "left_out"),
    [
        ("API_TOKEN=old\nPORT=1\n", "", ["API_TOKEN"]),
        ("SALT=old\nPORT=1\n", "SALT=change-me\nPORT=8080\n", ["SALT"]),
        ("# Decrypted from .env.sops.yaml; …\nSALT=old\n", "", ["SALT"]),
    ],
)
def test_an_old_env_file_never_fills_in_for_a_secret(
    tmp_path: Path, dotenv: str, example: str, left_out: list[str]
) -> None:
    (tmp_path / ".env").write_text(dotenv)
    (tmp_path / ".env.example").write_text(example)
    ws, selection = selected(tmp_path)
    answering(ws, PORT="1$$2")
    written = {"services": {"app": {"environment": dict.fromkeys(("API_TOKEN", "SALT", "PORT"))}}}
    found = handing.without_stale(ws, selection, written)
    assert not found.call.dotenv
    kept = {"PORT": "1$2"} if "PORT" in dotenv else {}
    assert found.environment == {**GIVEN, **kept}
    told = ws.console.err.getvalue()  # type: ignore[attr-defined]  # a buffer in tests
    assert f"not taken from .env, for a secret comes from the encrypted file: {left_out[0]}" in told
    assert "old" not in told


def test_an_env_file_without_other_secrets_is_left_to_compose(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=1\nTOKEN=mine\nLOG_TOKEN_FILE=/x\nSHELL_TOKEN=of-it\n")
    ws, selection = selected(tmp_path, SHELL_TOKEN="of this shell")
    assert handing.without_stale(ws, selection, {"services": {}}) is selection


@pytest.mark.parametrize(
    ("own", "place"),
    [
        ({"command": "run ${BIG:-}"}, "services.app.command"),
        ({"environment": ["BIG"]}, "services.app.environment"),
        ({"environment": {"BIG": None}}, "services.app.environment"),
    ],
)
def test_a_value_that_is_too_long_for_a_variable_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: dict[str, Any], place: str
) -> None:
    ws, selection = selected(tmp_path, {"BIG": Secret(LONG)})
    assert selection.environment == {}
    monkeypatch.setattr(
        "hullwright.stack.variables.as_written", lambda *_: {"services": {"app": own}}
    )
    with pytest.raises(UsageError, match="the value of BIG is too long") as caught:
        handing.checked(ws, selection)
    assert ("asked for by", place) in caught.value.why
    assert "x" * 100 not in str(caught.value)


def test_a_long_value_cannot_be_among_all_that_a_file_had(tmp_path: Path) -> None:
    ws, selection = selected(tmp_path, {"BIG": Secret(LONG), **GIVEN})
    written = {"services": {"app": {"env_file": [str(tmp_path / "app.env")]}}}
    with pytest.raises(UsageError, match="the value of BIG is too long"):
        handing.given_env_files(ws, selection, written, Override())
    (tmp_path / "app.env.example").write_text("TOKEN=\n")
    handing.given_env_files(ws, selection, written, Override())
    (tmp_path / "app.env.example").write_text("BIG=\n")
    with pytest.raises(UsageError, match="the value of BIG is too long"):
        handing.given_env_files(ws, selection, written, Override())


def test_a_long_value_is_told_of_beside_the_projects_own_env_file_too(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=1\n")
    ws, selection = selected(tmp_path, {"BIG": Secret(LONG), **GIVEN})
    written = {"services": {"app": {"env_file": [str(tmp_path / ".env")]}}}
    with pytest.raises(UsageError, match="the value of BIG is too long"):
        handing.given_env_files(ws, selection, written, Override())
    (tmp_path / ".env.example").write_text("PORT=\n")
    override = Override()
    handing.given_env_files(ws, selection, written, override)
    assert override.services["app"]["environment"] == dict.fromkeys(GIVEN)


def test_an_engine_elsewhere_is_known_by_its_context(tmp_path: Path) -> None:
    for name, host in {"far": "ssh://far", "near": "unix:///run/near.sock"}.items():
        folder = tmp_path / "contexts/meta" / hashlib.sha256(name.encode()).hexdigest()
        folder.mkdir(parents=True)
        meta = {"Name": name, "Endpoints": {"docker": {"Host": host}}}
        (folder / "meta.json").write_text(json.dumps(meta))
    config = {"DOCKER_CONFIG": str(tmp_path)}
    assert secretfiles.engine_is_here(config)
    assert not secretfiles.engine_is_here({**config, "DOCKER_CONTEXT": "far"})
    (tmp_path / "config.json").write_text('{"currentContext": "far"}')
    assert not secretfiles.engine_is_here(config)
    assert secretfiles.engine_is_here({**config, "DOCKER_CONTEXT": "near"})
    assert secretfiles.engine_is_here({**config, "DOCKER_CONTEXT": "default"})
    # The client takes DOCKER_HOST before any context.
    assert secretfiles.engine_is_here({**config, "DOCKER_HOST": "unix:///run/docker.sock"})
    assert not secretfiles.engine_is_here({"DOCKER_HOST": "tcp://far:2376"})


SECRETS: dict[str, Any] = {
    "services": {
        "app": {"image": "app", "user": "1000", "secrets": [{"source": "pw", "target": "/s/pw"}]},
        "idle": {"image": "app", "profiles": ["x"], "secrets": ["other"]},
    },
    "secrets": {"pw": {"environment": "PASSWORD"}, "other": {"environment": "OTHER"}},
}


def test_the_variable_of_a_secret_must_have_a_value() -> None:
    assert [use.name for use in uses(SECRETS, ["app"])] == ["PASSWORD"]
    assert uses(SECRETS, ["app"])[0].place == "secrets.pw.environment"
    assert [use.name for use in uses(SECRETS, ["app", "idle"])] == ["OTHER", "PASSWORD"]


def test_the_variables_of_secrets_are_asked_for(tmp_path: Path) -> None:
    ws, selection = selected(tmp_path)
    assert isinstance(ws.runner, Replay)
    ws.runner.results = {CONFIG: Result(CONFIG, 0, json.dumps(SECRETS))}
    assert asked_for(ws, selection) == {"OTHER": False, "PASSWORD": True}


def planned(
    root: Path,
    patch: pytest.MonkeyPatch,
    *,
    euid: int = 0,
    image_user: str = "",
    mapped: bool = False,
    **own: Any,
) -> tuple[secretfiles.SecretFiles, Override]:
    """Return the files of one service, and the override that mounts them."""
    ws, selection = selected(root, None, HULLWRIGHT_SECRETS_DIR=str(root / "memory"))
    (root / "memory").mkdir(exist_ok=True)
    patch.setattr(secretfolder, "_in_memory", lambda _: True)
    patch.setattr("os.geteuid", lambda: euid)
    assert isinstance(ws.runner, Replay)
    options = '["name=userns"]' if mapped else "[]"
    image = [{"Id": "sha256:a", "Config": {"User": image_user}}]
    ws.runner.results = {
        ("docker", "info"): Result((), 0, options),
        ("docker", "image"): Result((), 0, json.dumps(image)),
    }
    service = {"image": "app", "secrets": [{"source": "pw", "target": "/s/pw"}], **own}
    model = {"name": "shop", "services": {"app": service}, "secrets": SECRETS["secrets"]}
    override = Override()
    parsed = parse_model(json.dumps(model))
    return secretfiles.plan(ws, selection, parsed, ["app"], override), override


@pytest.mark.parametrize(
    ("facts", "mode", "uid"),
    [
        ({"user": "1000"}, 0o400, 1000),
        ({"user": "1000:50"}, 0o400, 1000),
        ({"image_user": "70"}, 0o400, 70),
        ({}, 0o400, 0),
        # The number of a name stands in the image alone.
        ({"user": "postgres"}, 0o444, None),
        ({"image_user": "nobody"}, 0o444, None),
        ({"user": "1000", "mapped": True}, 0o444, None),
        # Nobody but root gives files away.
        ({"user": "1000", "euid": 1000}, 0o400, None),
        ({"user": "1001", "euid": 1000}, 0o444, None),
        ({"euid": 1000}, 0o444, None),
    ],
)
def test_a_secret_is_readable_by_the_services_user_and_as_few_others_as_can_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, facts: Any, mode: int, uid: int | None
) -> None:
    files, _ = planned(tmp_path, monkeypatch, **facts)
    assert [(file.mode, file.uid) for file in files.files] == [(mode, uid)]


def test_what_the_service_says_of_owner_and_mode_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = {"source": "pw", "target": "pw", "uid": "7", "gid": "8", "mode": "0660"}
    files, _ = planned(tmp_path, monkeypatch, user="1000", secrets=[entry])
    (file,) = files.files
    assert (file.uid, file.gid, oct(file.mode)) == (7, 8, "0o440")


def test_a_secret_of_a_variable_becomes_a_file_that_is_mounted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, override = planned(tmp_path, monkeypatch, user="1000")
    path = tmp_path / "memory/hullwright-0/shop/files/app/pw"
    assert override.secrets == {"hullwright-app-pw": {"file": str(path)}}
    assert override.services["app"] == {
        "secrets": Tagged("!override", [{"source": "hullwright-app-pw", "target": "/s/pw"}]),
        "labels": {secretfiles.LABEL: files.generations["app"]},
    }
    assert "horse" not in override.yaml() + repr(files)
    assert not path.exists()
    assert files.to_write == files.files


def test_an_absent_file_of_a_secret_is_made_from_the_key_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SECRETS["secrets"], "password", {"file": str(tmp_path / "password")})
    files, _ = planned(tmp_path, monkeypatch, secrets=[{"source": "password"}])
    assert files.files[0].value == GIVEN["PASSWORD"]
    monkeypatch.setitem(SECRETS["secrets"], "x-y", {"file": str(tmp_path / "x")})
    with pytest.raises(UsageError, match="the secret x-y has neither its file nor a key") as caught:
        planned(tmp_path, monkeypatch, secrets=[{"source": "x-y"}])
    assert caught.value.next_step.startswith("invoke secrets.set --key X_Y")


def test_where_the_engine_is_elsewhere_compose_does_what_it_can(tmp_path: Path) -> None:
    ws, selection = selected(tmp_path)
    ws = replace(ws, environ={"DOCKER_HOST": "tcp://10.0.0.1:2375"})
    model = parse_model(json.dumps({"name": "shop", **SECRETS}))
    override = Override()
    found = secretfiles.plan(ws, selection, model, ["app"], override)
    assert found == secretfiles.SecretFiles()
    assert not override
