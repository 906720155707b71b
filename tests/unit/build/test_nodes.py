"""Which builder a run uses, and what is told to buildx for each of its nodes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from hullwright.build import nodes
from hullwright.build.nodes import PlaceNode, at, choose, gone, instance_of
from hullwright.config.models import Build, Builder, Config, Node
from hullwright.errors import ExitCode, UnavailableError, UsageError
from hullwright.images import Platform
from hullwright.run import Result
from hullwright.tools import registryclient
from hullwright.tools.builders import create_argv
from replaying import Replay, workspace

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hullwright.workspace import Workspace

NEAR: Final = Node("tcp://near:1234")
TLS: Final = Node("tcp://tls:1234", (Platform("linux", "arm64"),), "tls/ca", "tls/cert", "/k")
MADE: Final = """\
Name:   {name}
Driver: remote

Nodes:
Name:      {name}0
Endpoint:  {endpoint}
Status:    running
Platforms: linux/amd64, linux/amd64/v2, linux/arm64
"""


def shop(root: Path, builder: Builder, answers: Mapping[str, Result], **more: str) -> Workspace:
    """Return a repository with one builder; answers are by what follows `docker buildx`."""
    config = Config("shop", build=Build(builder=builder.name), builders={builder.name: builder})
    results = {("docker", "buildx", *words.split()): r for words, r in answers.items()}
    ws = workspace(root, config, Replay({}, results=results), **more)
    return replace(ws, runner=replace(ws.runner, environ=dict(ws.environ)))


@pytest.fixture
def dead(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Return endpoints that do not answer, for a test to fill."""
    endpoints: set[str] = set()

    def answer(endpoint: str, *_: object) -> str:
        return "refused" if endpoint in endpoints else ""

    monkeypatch.setattr(nodes, "unanswered", answer)
    monkeypatch.setattr(nodes, "unconnected", answer)
    return endpoints


def asked(ws: Workspace) -> list[str]:
    runner = ws.runner
    assert isinstance(runner, Replay)
    return [" ".join(call.argv[2:]) for call in runner.calls]


def told(number: int, endpoint: str) -> Result:
    name = f"hullwright-shop-far-{number}"
    return Result((), 0, MADE.format(name=name, endpoint=endpoint))


@pytest.mark.usefixtures("dead")
def test_a_builder_that_is_there_is_used_as_it_is(tmp_path: Path) -> None:
    ws = shop(tmp_path, Builder("far", "remote", (NEAR,)), {"inspect": told(1, NEAR.endpoint)})
    place = choose(ws)
    assert place is not None
    assert place.nodes == (
        PlaceNode(
            "hullwright-shop-far-1",
            NEAR.endpoint,
            ("linux/amd64", "linux/amd64/v2", "linux/arm64"),
            ("linux/amd64", "linux/amd64/v2"),
        ),
    )
    assert asked(ws) == ["inspect hullwright-shop-far-1"]
    there = at(ws, place)
    assert there.environ["BUILDX_BUILDER"] == "hullwright-shop-far-1"
    assert there.runner.environ["BUILDX_BUILDER"] == "hullwright-shop-far-1"


@pytest.mark.usefixtures("dead")
def test_a_builder_of_another_endpoint_is_made_anew(tmp_path: Path) -> None:
    builder = Builder("far", "remote", (NEAR,))
    answers = {"inspect": told(1, "tcp://old:1"), "rm": Result((), 0), "create": Result((), 1)}
    ws = shop(tmp_path, builder, answers)
    with pytest.raises(UnavailableError, match="builder far has no node that answers"):
        choose(ws)
    assert asked(ws) == [
        "inspect hullwright-shop-far-1",
        "rm hullwright-shop-far-1",
        "create --name hullwright-shop-far-1 --driver remote tcp://near:1234",
        "inspect hullwright-shop-far-1",
    ]


def test_a_dead_node_is_passed_over_and_without_any_it_ends_with_3(
    tmp_path: Path, dead: set[str]
) -> None:
    builder = Builder("far", "remote", (NEAR, Node("tcp://two:1")))
    ws = shop(tmp_path, builder, {"inspect": told(2, "tcp://two:1")})
    dead.add(NEAR.endpoint)
    place = choose(ws)
    assert place is not None
    assert [node.name for node in place.nodes] == ["hullwright-shop-far-2"]
    assert place.dead == ((NEAR.endpoint, "refused"),)
    assert gone(ws, place, "hullwright-shop-far-2") == ""
    dead.add("tcp://two:1")
    assert gone(ws, place, "hullwright-shop-far-2") == "refused"
    with pytest.raises(UnavailableError) as raised:
        choose(ws)
    assert raised.value.exit_code is ExitCode.UNAVAILABLE
    assert raised.value.why == [(NEAR.endpoint, "refused"), ("tcp://two:1", "refused")]
    assert "--builder default" in raised.value.next_step


def test_what_is_not_required_falls_back_to_the_engine(tmp_path: Path, dead: set[str]) -> None:
    dead.add(NEAR.endpoint)
    ws = shop(tmp_path, Builder("far", "remote", (NEAR,), required=False), {})
    assert choose(ws) is None


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    ws = shop(tmp_path, Builder("far", "remote", (NEAR,)), {}, BUILDX_BUILDER="mine")
    assert choose(ws) is None
    assert choose(ws, "default") is None
    assert at(ws, None).environ["BUILDX_BUILDER"] == "default"
    with pytest.raises(UsageError, match='unknown builder "fat" — did you mean "far"'):
        choose(ws, "fat")


@pytest.mark.usefixtures("dead")
@pytest.mark.parametrize(
    ("insecure", "plain"),
    [(True, '[registry."mirror.example:5000"]\n  http = true\n  insecure = true\n'), (False, "")],
)
def test_a_container_is_told_of_the_mirror_in_a_file(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    insecure: bool,  # noqa: FBT001  a parameter of the test
    plain: str,
) -> None:
    monkeypatch.setattr(registryclient, "is_insecure", lambda *_: insecure)
    builder = Builder("far")
    answers = {"inspect": Result((), 1, "", "ERROR: no builder"), "create": Result((), 0)}
    ws = shop(tmp_path, builder, answers)
    mirror = "mirror.example:5000/hub"
    ws = replace(ws, config=replace(ws.config, build=Build(builder="far", mirror=mirror)))
    assert choose(ws) is not None
    file = tmp_path / ".hullwright/builders/hullwright-shop-far-1.toml"
    assert asked(ws)[1] == (
        f"create --name hullwright-shop-far-1 --driver docker-container --buildkitd-config {file}"
    )
    assert file.read_text(encoding="utf-8") == (
        f'[registry."docker.io"]\n  mirrors = ["mirror.example:5000/hub"]\n{plain}'
    )


def test_kubernetes_and_tls_are_arguments_only(tmp_path: Path) -> None:
    kube = Builder("kube", "kubernetes", (Node("prod", (Platform("linux", "arm64"),)),))
    ws = shop(tmp_path, kube, {})
    made = create_argv(instance_of(ws, kube, 1))
    assert made == (
        *("docker", "buildx", "create", "--name", "hullwright-shop-kube-1"),
        *("--driver", "kubernetes", "--platform", "linux/arm64", "prod"),
    )
    far = Builder("far", "remote", (TLS,))
    assert create_argv(instance_of(ws, far, 1))[7:] == (
        *("--platform", "linux/arm64", "--driver-opt", f"cacert={tmp_path}/tls/ca"),
        *("--driver-opt", f"cert={tmp_path}/tls/cert", "--driver-opt", "key=/k", TLS.endpoint),
    )
