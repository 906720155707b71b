"""Secrets of builds: where they come from, what is missing, and arguments that look like one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from hullwright import build
from hullwright.build import BuildRequest, SourceVersion
from hullwright.build.secrecy import mounts, refuse_secret_arguments
from hullwright.config.models import Build, Config, Service
from hullwright.errors import ExitCode, UsageError
from replaying import workspace

if TYPE_CHECKING:
    from pathlib import Path

    from hullwright.build import BuildPlan

VALUE: Final = "hunter2-of-the-test"


def plan(root: Path, service: Service, request: BuildRequest, *allowed: str) -> BuildPlan:
    (root / "Dockerfile").write_text("FROM scratch\n", encoding="utf-8")
    config = Config("shop", services={"api": service}, build=Build(allow_args=allowed))
    return build.plan(
        workspace(root, config, TOK=VALUE), request, lambda _: SourceVersion("1.0.0", "1.0.0")
    )


@pytest.mark.parametrize(
    "name",
    [
        *("NPM_TOKEN", "TOKEN", "DB_PASSWORD_2", "githubToken", "SECRET_KEY_BASE", "API_KEY"),
        *("MYSQL_ROOT_PASSWORD", "AWS_SECRET_ACCESS_KEY", "private-key", "PIP_PASSWD", "CREDS"),
    ],
)
def test_an_argument_that_looks_like_a_secret_is_refused(name: str) -> None:
    with pytest.raises(UsageError) as raised:
        refuse_secret_arguments([(name, "--build-arg")], (), ())
    assert raised.value.exit_code is ExitCode.USAGE
    assert str(raised.value).startswith(f"build argument {name} looks like a secret")
    assert f"id={name.lower()},env={name}" in raised.value.next_step
    refuse_secret_arguments([(name, "--build-arg")], (), (name,))


@pytest.mark.parametrize(
    "name",
    ["VERSION", "TOKENIZER", "SECRETARY", "NPM_TOKEN_FILE", "KEYBOARD", "TOKEN_PATH", "PASSAGE"],
)
def test_an_argument_that_does_not_is_taken(name: str) -> None:
    refuse_secret_arguments([(name, "--build-arg")], (f"*.args.{name}=x",), ())


def test_every_way_of_giving_one_is_looked_at_and_all_are_named(tmp_path: Path) -> None:
    service = Service("api", build_args={"A_TOKEN": VALUE})
    request = BuildRequest(build_args={"B_SECRET": VALUE}, set_=(f"api.args.C_PASSWORD={VALUE}",))
    with pytest.raises(UsageError) as raised:
        plan(tmp_path, service, request)
    told = f"{raised.value} {raised.value.why} {raised.value.next_step}"
    assert all(name in told for name in ("A_TOKEN", "B_SECRET", "C_PASSWORD"))
    assert VALUE not in told


def test_one_is_allowed_by_name_in_the_configuration_or_on_the_command_line(
    tmp_path: Path,
) -> None:
    service = Service("api", build_args={"A_TOKEN": "x", "B_TOKEN": "y"})
    made = plan(tmp_path, service, BuildRequest(allow_args=("B_TOKEN",)), "A_TOKEN")
    assert made.targets[0].bake.arguments == {"A_TOKEN": "x", "B_TOKEN": "y"}


def test_a_definition_says_where_secrets_are_and_never_what(tmp_path: Path) -> None:
    (tmp_path / "a,b").write_text(VALUE, encoding="utf-8")
    secrets = {"one": "env:TOK", "two": "file:a,b", "three": "KEY"}
    made = plan(tmp_path, Service("api", secrets=secrets), BuildRequest())
    assert made.targets[0].bake.secrets == (
        "id=one,env=TOK",
        f'id=two,"src={tmp_path}/a,b"',
        "id=three,env=HULLWRIGHT_SECRET_KEY",
    )
    assert made.secret_keys == ("KEY",)
    assert VALUE not in made.definition() + made.text()


@pytest.mark.parametrize(
    ("service", "message"),
    [
        (Service("api", secrets={"t": "env:NONE"}), "the variable NONE"),
        (Service("api", secrets={"t": "file:none.txt"}), "the file none.txt"),
        (Service("api", ssh=("default",)), "use an SSH agent, and none is running"),
        (Service("api", ssh=("deploy=none_key",)), "an SSH key that is not there: none_key"),
    ],
)
def test_what_is_not_there_is_told_before_a_build(
    tmp_path: Path, service: Service, message: str
) -> None:
    with pytest.raises(UsageError) as raised:
        mounts(workspace(tmp_path), service)
    assert raised.value.exit_code is ExitCode.USAGE
    assert message in str(raised.value)
    assert raised.value.why
    assert raised.value.next_step


def test_an_agent_whose_socket_is_gone_is_told(tmp_path: Path) -> None:
    ws = workspace(tmp_path, SSH_AUTH_SOCK=str(tmp_path / "gone"))
    with pytest.raises(UsageError) as raised:
        mounts(ws, Service("api", ssh=("default",)))
    assert "gone, which is not there" in str(raised.value.why)


def test_agents_and_keys_are_handed_over_as_bake_has_them(tmp_path: Path) -> None:
    (tmp_path / "key").touch()
    ws = workspace(tmp_path, SSH_AUTH_SOCK=str(tmp_path / "key"), HOME=str(tmp_path))
    found = mounts(ws, Service("api", ssh=("default", "deploy=~/key")))
    assert found.ssh == ("default", f"deploy={tmp_path}/key")
    assert found.files == (tmp_path / "key",)
