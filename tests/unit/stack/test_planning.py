"""Plans without an engine: a runner that answers from a table stands for it."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from hullwright import recorded, stack
from hullwright.config.models import Config, Service, Stack
from hullwright.console import Console
from hullwright.errors import CheckFailedError, UsageError
from hullwright.recorded import RecordedImage
from hullwright.run import Result, Runner
from hullwright.secret import Secret
from hullwright.stack.override import Override, Tagged, write
from hullwright.stack.pins import built_by, made_by
from hullwright.tools import ports
from hullwright.tools.compose import parse_model
from hullwright.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

DIGEST = f"sha256:{'a' * 64}"
SERVICES: dict[str, Any] = {
    "app": {
        "image": "shop/app:latest",
        "build": {"context": "{root}", "dockerfile": "Dockerfile", "target": "production"},
        "depends_on": {"db": {"condition": "service_healthy", "required": True}},
        "env_file": [{"path": "{root}/.env", "required": True}],
        "environment": {"PASSWORD": "${PASSWORD:?}", "LEVEL": None},
    },
    "db": {"image": "postgres:17", "restart": "always"},
}


@dataclass
class Table(Runner):
    """Answers what docker would, and remembers what it was asked.

    Attributes:
        services: of the compose file.
        local: images of the local store, by any of their names.
        there: what `docker container inspect` shows.
    """

    services: dict[str, Any] = field(default_factory=dict)
    local: dict[str, str] = field(default_factory=dict)
    there: list[dict[str, Any]] = field(default_factory=list)
    asked: list[tuple[tuple[str, ...], str | None]] = field(default_factory=list)

    def read(
        self,
        *argv: str,
        cwd: Path | None = None,
        env: Mapping[str, str | Secret] | None = None,
        stdin: str | None = None,
        timeout_s: float | None = 60.0,
        check: bool = True,
    ) -> Result:
        self.asked.append((argv, stdin))
        return Result(argv, *self._answer(argv, stdin))

    def _answer(self, argv: tuple[str, ...], stdin: str | None) -> tuple[int, str]:
        if "--hash" in argv:
            return 0, "".join(f"{name} new\n" for name in self.services)
        if argv[:2] == ("docker", "compose") and "config" in argv:
            if stdin and "probe" in stdin:
                return 0, stdin
            services = dict(self.services)
            if stdin and '"image"' in stdin:
                pinned = stdin.split('"image": "')[1].split('"')[0]
                services["app"] = {**services["app"], "image": pinned}
            return 0, json.dumps({"name": "shop", "services": services})
        if argv[1:3] == ("image", "inspect"):
            found = [self.local[name] for name in argv[3:] if name in self.local]
            code = 0 if len(found) == len(argv[3:]) else 1
            return code, json.dumps([{"Id": each} for each in found])
        if argv[1:2] == ("ps",):
            return 0, "\n".join(each["Id"] for each in self.there)
        return 0, json.dumps(self.there)


def repository(tmp_path: Path, **services: Any) -> tuple[Workspace, Table]:
    """Return a repository of the two services, and its runner."""
    (tmp_path / "compose.yaml").write_text("", encoding="utf-8")
    text = json.dumps({**SERVICES, **services}).replace("{root}", str(tmp_path))
    runner = Table({}, services=json.loads(text), local={"postgres:17": "sha256:p"})
    told = io.StringIO()
    config = Config(
        "shop",
        services={"shop": Service("shop", targets=("development", "production"), image="shop/app")},
        stacks={"default": Stack("default", ("compose.yaml",))},
    )
    return Workspace(tmp_path, config, runner, Console({}, out=told, err=told), {}), runner


def record(ws: Workspace, runner: Table, target: str = "production") -> None:
    image = RecordedImage(
        "shop", target, "shop/app:1.2.3", DIGEST, "1.2.3", "", (), datetime(2026, 1, 1, tzinfo=UTC)
    )
    recorded.save(ws, [image])
    runner.local |= {f"shop/app:1.2.3@{DIGEST}": DIGEST, DIGEST: DIGEST}


GIVEN = {"PASSWORD": Secret("hunter2hunter2"), "TOKEN": Secret("battery staple")}


def running(name: str, config_hash: str, **state: object) -> dict[str, Any]:
    return {
        "Id": f"id-{name}",
        "Name": f"/shop-{name}-1",
        "State": {"Status": "running", **state},
        "Config": {
            "Labels": {
                "com.docker.compose.service": name,
                "com.docker.compose.config-hash": config_hash,
            }
        },
    }


def test_a_first_start_in_its_text_form(tmp_path: Path) -> None:
    ws, runner = repository(tmp_path)
    record(ws, runner)
    plan = stack.plan_up(ws, stack.select(ws, environment=GIVEN))
    assert plan.text() == (
        "stack default · project shop\n"
        "  create    app: no container, 1.2.3 as built\n"
        "  create    db: no container, postgres:17"
    )
    assert not (tmp_path / ".hullwright" / "overrides").exists()


def test_what_is_there_is_kept_started_or_made_anew(tmp_path: Path) -> None:
    ws, runner = repository(tmp_path)
    record(ws, runner)
    runner.there = [running("app", "old"), running("db", "new", Health={"Status": "healthy"})]
    plan = stack.plan_up(ws, stack.select(ws, services=["app"], environment=GIVEN))
    assert plan.text() == (
        "stack default · project shop\n"
        "  recreate  app: its image or configuration changed\n"
        "  keep      db: healthy"
    )


def test_an_image_that_is_not_there_is_pulled(tmp_path: Path) -> None:
    ws, runner = repository(tmp_path)
    record(ws, runner)
    runner.local.pop("postgres:17")
    plan = stack.plan_up(ws, stack.select(ws, services=["db"], environment=GIVEN))
    assert plan.missing == ("postgres:17",)
    assert plan.text().splitlines()[1] == "  pull      postgres:17: not in the local store"


def test_the_override_pins_the_digest_and_holds_no_value(tmp_path: Path) -> None:
    ws, runner = repository(tmp_path)
    record(ws, runner)
    plan = stack.plan_up(ws, stack.select(ws, services=["app"], environment=GIVEN))
    assert plan.override.services == {
        "app": {
            "environment": {"TOKEN": None},
            "env_file": Tagged("!override", []),
            "image": f"shop/app:1.2.3@{DIGEST}",
            "pull_policy": "never",
        }
    }
    for argv, stdin in runner.asked:
        assert "hunter2" not in f"{argv}{stdin}"
        assert "staple" not in f"{argv}{stdin}"


def test_a_classic_store_knows_the_image_by_its_id(tmp_path: Path) -> None:
    ws, runner = repository(tmp_path)
    record(ws, runner)
    runner.local.pop(f"shop/app:1.2.3@{DIGEST}")
    plan = stack.plan_up(ws, stack.select(ws, services=["app"], environment=GIVEN))
    assert plan.pins[0].image == DIGEST


def test_what_was_built_and_is_gone_is_named(tmp_path: Path) -> None:
    ws, runner = repository(tmp_path)
    record(ws, runner)
    runner.local = {"postgres:17": "sha256:p"}
    with pytest.raises(CheckFailedError, match="no longer in the local store") as caught:
        stack.plan_up(ws, stack.select(ws, environment=GIVEN))
    assert caught.value.next_step == "invoke build"


def test_an_image_of_a_registry_may_be_fetched_by_its_digest(tmp_path: Path) -> None:
    ws, runner = repository(tmp_path)
    record(ws, runner)
    runner.local = {"postgres:17": "sha256:p"}
    ws = replace(ws, config=replace(ws.config, registry="registry.example.com"))
    plan = stack.plan_up(ws, stack.select(ws, services=["app"], environment=GIVEN))
    assert plan.override.services["app"]["pull_policy"] == "missing"
    assert plan.missing == (f"shop/app:1.2.3@{DIGEST}",)


def test_another_stage_than_the_one_that_was_built_is_not_built(tmp_path: Path) -> None:
    ws, runner = repository(tmp_path)
    record(ws, runner, "development")
    with pytest.raises(CheckFailedError, match="not built yet: app") as caught:
        stack.plan_up(ws, stack.select(ws, environment=GIVEN))
    assert caught.value.next_step == "invoke build --service shop"
    assert "nothing is recorded" in str(caught.value)


def test_a_stage_that_is_not_the_default_is_named_in_what_to_do(tmp_path: Path) -> None:
    build = {"context": "{root}", "dockerfile": "Dockerfile", "target": "development"}
    ws, runner = repository(tmp_path, db={"image": "postgres:17", "build": build})
    record(ws, runner)
    with pytest.raises(CheckFailedError, match="not built yet: db") as caught:
        stack.plan_up(ws, stack.select(ws, environment=GIVEN))
    assert caught.value.next_step == "invoke build --service shop --target development"
    assert "its stage development is not recorded" in str(caught.value)


def test_a_build_that_no_configured_service_makes_says_what_to_add(tmp_path: Path) -> None:
    build = {"context": "{root}/api", "dockerfile": "Dockerfile"}
    ws, runner = repository(tmp_path, db={"image": "postgres:17", "build": build})
    record(ws, runner)
    with pytest.raises(CheckFailedError, match="no configured service builds it") as caught:
        stack.plan_up(ws, stack.select(ws, environment=GIVEN))
    assert caught.value.next_step == (
        'add [tool.hullwright.services.db] with dockerfile = "api/Dockerfile", context = "api"; '
        "then: invoke build --service db"
    )


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        ({"build": {"context": "/r", "dockerfile": "Dockerfile"}}, "shop"),
        ({"build": {"context": "/r/api", "dockerfile": "../Dockerfile"}}, "shop"),
        ({"build": {"context": "/r", "dockerfile": "other.Dockerfile"}}, None),
        ({"image": "shop/app:9"}, "shop"),
        ({"image": f"shop/app@{DIGEST}"}, "shop"),
        ({"image": "registry.example.com/shop/app"}, None),
        ({"image": "postgres:17"}, None),
        ({"image": "NOT AN IMAGE"}, None),
    ],
)
def test_a_service_belongs_to_what_builds_its_file_or_image(
    tmp_path: Path, raw: dict[str, Any], found: str | None
) -> None:
    from pathlib import Path as AnyPath

    ws, _ = repository(tmp_path)
    model = parse_model(json.dumps({"services": {"x": raw}}))
    builder = built_by(ws.config, AnyPath("/r"), model.services["x"])
    assert (builder.name if builder else None) == found


@pytest.mark.parametrize(
    ("image", "maker"), [("shop:local", "web"), ("shop:other", "job"), ("", "job")]
)
def test_a_service_that_shares_an_image_is_started_from_what_makes_it(
    image: str, maker: str
) -> None:
    web = {"image": "shop:local", "build": {"context": "/r"}}
    model = parse_model(json.dumps({"services": {"job": {"image": image}, "web": web}}))
    assert made_by(model, model.services["job"]).name == maker
    assert made_by(model, model.services["web"]).name == "web"


def test_a_taken_port_is_refused_with_its_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = {"target": 80, "published": "8080", "host_ip": "127.0.0.1", "protocol": "tcp"}
    ws, runner = repository(tmp_path, db={"image": "postgres:17", "ports": [published]})
    taken = ports.Listener("tcp", "127.0.0.1", 8080, 1)
    monkeypatch.setattr(ports, "listeners", lambda: [taken])
    monkeypatch.setattr(ports, "owner", lambda _inode: ports.Process(7, "nginx"))
    with pytest.raises(CheckFailedError) as caught:
        stack.plan_up(ws, stack.select(ws, services=["db"], environment=GIVEN))
    assert caught.value.lines() == [
        "port 8080 is already taken",
        "  wanted by  db",
        "  held by    process 7: nginx, on 127.0.0.1",
        "  next       end it",
    ]
    # Its own container is no stranger.
    bindings = {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}]}
    runner.there = [{**running("db", "new"), "NetworkSettings": {"Ports": bindings}}]
    plan = stack.plan_up(ws, stack.select(ws, services=["db"], environment=GIVEN))
    assert plan.operations[0].verb == "keep"


def test_missing_variables_and_env_files_are_told(tmp_path: Path) -> None:
    ws, _ = repository(tmp_path)
    with pytest.raises(UsageError, match="1 variable has no value: PASSWORD"):
        stack.plan_up(ws, stack.select(ws, dotenv=False))
    ws, _ = repository(tmp_path, db={"env_file": [{"path": f"{tmp_path}/x.env", "required": True}]})
    ws = replace(ws, environ={"PASSWORD": "of this shell"})
    with pytest.raises(UsageError, match="2 env files do not exist"):
        stack.plan_up(ws, stack.select(ws))


@pytest.mark.parametrize("dotenv", [True, False])
def test_an_empty_secret_that_compose_refuses_is_named(tmp_path: Path, *, dotenv: bool) -> None:
    ws, _ = repository(tmp_path)
    given = {"PASSWORD": Secret("")}
    with pytest.raises(
        UsageError, match=r"^PASSWORD is empty in the encrypted secrets, and the stack"
    ) as caught:
        stack.plan_up(ws, stack.select(ws, environment=given, dotenv=dotenv))
    assert caught.value.next_step.startswith("invoke secrets.set --key PASSWORD   (")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({"stack": "defualt"}, 'unknown stack "defualt" — did you mean "default"?'),
        ({"services": ["ap"]}, 'unknown service "ap" — did you mean "app"?'),
        ({"dev": True}, "compose.dev.yaml does not exist"),
    ],
)
def test_words_that_mean_nothing_are_refused(
    tmp_path: Path, call: dict[str, Any], message: str
) -> None:
    ws, _ = repository(tmp_path)
    with pytest.raises(UsageError) as caught:
        stack.plan_up(ws, stack.select(ws, environment=GIVEN, **call))
    assert caught.value.what == message


def test_a_file_or_a_stack_that_is_not_there_is_refused(tmp_path: Path) -> None:
    ws, _ = repository(tmp_path)
    (tmp_path / "compose.yaml").unlink()
    with pytest.raises(UsageError, match=r"compose\.yaml does not exist"):
        stack.select(ws)
    with pytest.raises(UsageError, match="this repository has no stack"):
        stack.select(replace(ws, config=Config("x")))


def test_what_the_files_ask_for_is_told_with_what_must_be_given(tmp_path: Path) -> None:
    ws, _ = repository(
        tmp_path,
        db={"image": "postgres:17", "ports": ["${PORT:-5432}:5432"]},
        idle={"image": "x:${TAG}", "profiles": ["idle"]},
    )
    asked = stack.asked_for(ws, stack.select(ws))
    assert asked == {"PASSWORD": True, "PORT": False, "TAG": False}


def test_values_are_masked_from_then_on(tmp_path: Path) -> None:
    ws, _ = repository(tmp_path)
    stack.select(ws, environment=GIVEN)
    assert ws.runner.redacted("the battery staple") == "the ***"


def test_an_override_is_yaml_with_composes_tags(tmp_path: Path) -> None:
    override = Override()
    override.service("a:b").update(
        image="x@sha256:1",
        container_name=Tagged("!reset"),
        ports=Tagged("!override", [{"target": 80}]),
    )
    override.networks["n"] = {"name": "p_n", "driver_opts": {"mtu": Tagged("!reset"), "x": "1"}}
    assert override.yaml().splitlines()[1:] == [
        "services:",
        '  "a:b":',
        '    "image": "x@sha256:1"',
        '    "container_name": !reset null',
        '    "ports": !override [{"target": 80}]',
        "networks:",
        '  "n":',
        '    "name": "p_n"',
        '    "driver_opts":',
        '      "mtu": !reset null',
        '      "x": "1"',
    ]
    assert not Override()
    ws, _ = repository(tmp_path)
    assert write(ws, "x", override).stat().st_mode & 0o777 == 0o600
