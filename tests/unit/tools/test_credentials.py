"""Logins as Docker keeps them: its own file, and the programs that it asks."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from hullwright.errors import UnavailableError, UsageError
from hullwright.outcome import Result
from hullwright.run import DryRunner
from hullwright.secret import Secret
from hullwright.tools.credentials import Credential, domain_of, login, logout, store, stored
from replaying import Replay

if TYPE_CHECKING:
    from pathlib import Path

HOST = "registry.example.com"
HUB = "https://index.docker.io/v1/"


def auth(pair: str) -> dict[str, str]:
    return {"auth": base64.b64encode(pair.encode()).decode()}


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """An environment with a folder of Docker's own, and programs of its own."""
    (tmp_path / "bin").mkdir()
    return {"DOCKER_CONFIG": str(tmp_path), "PATH": str(tmp_path / "bin")}


def configured(home: dict[str, str], tmp_path: Path, **config: Any) -> Replay:
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return Replay(home)


def helper(
    home: dict[str, str], tmp_path: Path, name: str, answer: Result, **config: Any
) -> Replay:
    program = tmp_path / "bin" / f"docker-credential-{name}"
    program.touch(mode=0o755)
    runner = configured(home, tmp_path, **config)
    runner.results = {(program.name, "get"): answer}
    return runner


@pytest.mark.parametrize(
    ("auths", "domain"),
    [
        ({HOST: auth("ada:pass:word")}, HOST),
        ({f"https://{HOST}/v1/": auth("ada:pass:word")}, HOST),
        ({HOST: {"username": "ada", "password": "pass:word"}}, HOST),
        ({HOST: auth("ada:pass:word\0\0")}, HOST),
        ({HUB: auth("ada:pass:word")}, "docker.io"),
    ],
)
def test_a_login_in_dockers_own_file_is_found(
    home: dict[str, str], tmp_path: Path, auths: Any, domain: str
) -> None:
    runner = configured(home, tmp_path, auths=auths)
    assert stored(runner, home, domain) == Credential("ada", Secret("pass:word"))
    assert runner.redacted("it is pass:word") == "it is ***"


@pytest.mark.parametrize(
    "auths",
    [
        {},
        {"other.example.com": auth("ada:x")},
        {HOST: {}},
        {HOST: {"auth": "YQ"}},
        {HOST: {"auth": 7}},
        {HOST: {"auth": "YWRh"}},
        {HOST: None},
    ],
)
def test_what_is_no_login_is_none(home: dict[str, str], tmp_path: Path, auths: Any) -> None:
    assert stored(configured(home, tmp_path, auths=auths), home, HOST) is None


def test_without_a_file_there_is_no_login(home: dict[str, str]) -> None:
    assert stored(Replay(home), home, HOST) is None
    assert stored(Replay({}), {"HOME": home["DOCKER_CONFIG"]}, HOST) is None


def test_an_identity_token_stands_for_name_and_password(
    home: dict[str, str], tmp_path: Path
) -> None:
    runner = configured(home, tmp_path, auths={HOST: {**auth("x:y"), "identitytoken": "long one"}})
    assert stored(runner, home, HOST) == Credential("", Secret(""), Secret("long one"))
    assert Secret("long one") in runner.secrets


def test_logins_of_the_environment_come_first(home: dict[str, str], tmp_path: Path) -> None:
    runner = configured(home, tmp_path, auths={HOST: auth("file:1"), "b.example": auth("b:2")})
    given = {**home, "DOCKER_AUTH_CONFIG": json.dumps({"auths": {HOST: auth("env:3")}})}
    assert stored(runner, given, HOST) == Credential("env", Secret("3"))
    assert stored(runner, given, "b.example") == Credential("b", Secret("2"))


def test_a_helper_gets_the_registrys_name_on_standard_input(
    home: dict[str, str], tmp_path: Path
) -> None:
    told = Result((), 0, json.dumps({"ServerURL": HOST, "Username": "ada", "Secret": "s3cret"}))
    runner = helper(
        home, tmp_path, "safe", told, credsStore="safe", auths={HOST: auth("old:value")}
    )
    assert stored(runner, home, HOST) == Credential("ada", Secret("s3cret"))
    assert [(call.argv, call.stdin) for call in runner.calls] == [
        (("docker-credential-safe", "get"), HOST)
    ]
    assert Secret("s3cret") in runner.secrets


def test_a_registrys_own_helper_comes_before_the_general_one(
    home: dict[str, str], tmp_path: Path
) -> None:
    told = Result((), 0, json.dumps({"Username": "<token>", "Secret": "a token"}))
    config = {"credsStore": "general", "credHelpers": {HOST: "own"}}
    runner = helper(home, tmp_path, "own", told, **config)
    assert stored(runner, home, HOST) == Credential("", Secret(""), Secret("a token"))
    assert f"{store(home, HOST)}" == "docker-credential-own"
    assert f"{store(home, 'b.example')}" == "docker-credential-general"


def test_dockers_own_registry_is_asked_for_by_its_old_name(
    home: dict[str, str], tmp_path: Path
) -> None:
    none = Result((), 1, "credentials not found in native keychain\n")
    runner = helper(home, tmp_path, "safe", none, credsStore="safe")
    assert stored(runner, home, "docker.io") is None
    assert runner.calls[0].stdin == HUB


def test_a_helper_that_is_missing_is_named(home: dict[str, str], tmp_path: Path) -> None:
    runner = configured(home, tmp_path, credsStore="gone")
    with pytest.raises(UnavailableError) as told:
        stored(runner, home, HOST)
    assert f"{told.value}" == (
        f"docker-credential-gone, which keeps the login of {HOST}, is not on PATH\n"
        f"  named by  credsStore in {tmp_path}/config.json\n"
        "  next      install it, or take it out of that file and: "
        f"invoke login --registry {HOST} --username NAME"
    )


def test_a_helper_that_fails_is_told_of_in_its_words(home: dict[str, str], tmp_path: Path) -> None:
    locked = Result((), 1, "the keychain is locked\n")
    runner = helper(home, tmp_path, "safe", locked, credHelpers={HOST: "safe"})
    with pytest.raises(UnavailableError) as told:
        stored(runner, home, HOST)
    assert told.value.what == f"docker-credential-safe did not give the login of {HOST}"
    assert told.value.why == [
        ("said", "the keychain is locked"),
        ("named by", f'credHelpers of "{HOST}" in {tmp_path}/config.json'),
    ]


@pytest.mark.parametrize("answer", ["hunter2", '["hunter2"]', '{"Secret": "hunter2"}'])
def test_an_answer_that_cannot_be_read_is_not_shown(
    home: dict[str, str], tmp_path: Path, answer: str
) -> None:
    runner = helper(home, tmp_path, "safe", Result((), 0, answer), credsStore="safe")
    with pytest.raises(UnavailableError) as told:
        stored(runner, home, HOST)
    assert "hunter2" not in f"{told.value}"


@pytest.mark.parametrize(
    ("content", "why"), [("{", "is not JSON"), ("[]", "is not a table of Docker's settings")]
)
def test_a_file_that_cannot_be_read_is_named(
    home: dict[str, str], tmp_path: Path, content: str, why: str
) -> None:
    (tmp_path / "config.json").write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match=f"{tmp_path}/config.json {why}"):
        stored(Replay(home), home, HOST)


def test_a_file_of_another_encoding_is_named(home: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes(b"\xff")
    with pytest.raises(UsageError, match=f"{tmp_path}/config.json cannot be read") as told:
        stored(Replay(home), home, HOST)
    assert told.value.why == "it is not UTF-8"


@pytest.mark.parametrize(
    ("written", "domain"),
    [
        ("ghcr.io", "ghcr.io"),
        ("ghcr.io/team", "ghcr.io"),
        ("127.0.0.1:5000/", "127.0.0.1:5000"),
        ("localhost", "localhost"),
        ("docker.io", "docker.io"),
        ("docker.io/team", "docker.io"),
        (HUB, "docker.io"),
    ],
)
def test_a_registry_is_its_host(written: str, domain: str) -> None:
    assert domain_of(written) == domain


@pytest.mark.parametrize("written", ["team", "https://ghcr.io", "team/app", "A b", "/"])
def test_what_is_no_registry_is_refused(written: str) -> None:
    with pytest.raises(UsageError):
        domain_of(written)


def test_a_password_goes_through_standard_input_and_is_never_echoed() -> None:
    told: list[str] = []
    runner = Replay({}, echo=told.append, results={("docker", "login"): Result((), 0)})
    login(runner, HOST, "ada", Secret("pw"))
    call = runner.calls[0]
    assert call.argv == ("docker", "login", "--username", "ada", "--password-stdin", HOST)
    assert call.stdin == "pw"
    assert told == [f"docker login --username ada --password-stdin {HOST}"]


def test_dockers_own_registry_is_the_one_without_a_name() -> None:
    runner = Replay({}, results={("docker",): Result((), 0)})
    login(runner, "docker.io", "ada", Secret("pw"))
    logout(runner, "docker.io")
    logout(runner, HOST)
    assert [call.argv[-1] for call in runner.calls] == ["--password-stdin", "logout", HOST]


def test_a_dry_run_stores_nothing() -> None:
    told: list[str] = []
    assert login(DryRunner({}, echo=told.append), HOST, "ada", Secret("pw")).ok
    assert told == [f"docker login --username ada --password-stdin {HOST}"]
