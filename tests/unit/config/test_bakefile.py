"""A bake file as a source of services: what bake prints of it becomes services."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from hullwright.config.bakefile import bake_files
from hullwright.config.load import load
from hullwright.config.problems import ConfigurationError
from hullwright.errors import ExitCode, UnavailableError
from hullwright.images import Platform
from hullwright.run import Result
from hullwright.tools.buildx import BAKE_PRINT
from replaying import Replay

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hullwright.config.models import Config

# As buildx 0.29 prints a matrix that inherits, links to a third target, and has no own output.
PRINTED: Final[dict[str, Any]] = {
    "group": {"app": {"targets": ["app-a"]}, "default": {"targets": ["tool", "app"]}},
    "target": {
        "app-a": {
            "annotations": ["a=b"],
            "context": "app",
            "contexts": {"foo": "docker-image://alpine", "x/base": "target:base"},
            "dockerfile": "docker/Dockerfile",
            "args": {"MODE": "$${x}"},
            "labels": {"a": "b", "org.opencontainers.image.version": "1"},
            "tags": ["registry.example.com/x/app:a"],
            "cache-from": [{"ref": "x/c", "type": "registry"}],
            "secret": [
                {"id": "tok", "env": "TOK"},
                {"id": "f", "src": "./f.txt"},
                {"id": "PLAIN"},
            ],
            "ssh": [{"id": "default"}, {"id": "k", "paths": ["./id"]}],
            "target": "production",
            "platforms": ["linux/amd64"],
            "network": "none",
            "extra-hosts": {"db": "10.0.0.1"},
        },
        "base": {"context": "base", "dockerfile": "Dockerfile", "output": [{"type": "cacheonly"}]},
        "tool": {"context": ".", "dockerfile": "Dockerfile"},
        "files": {"context": ".", "output": [{"dest": "out", "type": "local"}]},
        "inline": {"context": ".", "dockerfile-inline": "FROM scratch"},
        "far": {"context": "https://git.example.com/x.git"},
    },
}


def replaying(printed: Mapping[str, Any] = PRINTED, **environ: str) -> Replay:
    return Replay(environ, results={BAKE_PRINT: Result(BAKE_PRINT, 0, json.dumps(printed), "", 0)})


def failing(said: str) -> Replay:
    return Replay({}, results={BAKE_PRINT: Result(BAKE_PRINT, 1, "", said, 0)})


def config(root: Path, runner: Replay, text: str = "# a file") -> Config:
    (root / "docker-bake.hcl").write_text(text, encoding="utf-8")
    return load(root, runner.environ, runner=runner)


def test_targets_are_services_with_all_that_bake_says_of_them(tmp_path: Path) -> None:
    (tmp_path / "hullwright.toml").write_text('registry = "registry.example.com"\n')
    services = config(tmp_path, replaying(PLAIN="x")).services
    assert list(services) == ["tool", "app-a", "base"]
    app = services["app-a"]
    assert (app.context, app.dockerfile) == ("app", "app/docker/Dockerfile")
    assert (app.image, app.targets) == ("x/app", ("production",))
    assert app.contexts == {"foo": "docker-image://alpine", "x/base": "service:base"}
    assert app.build_args == {"MODE": "${x}"}
    assert app.labels == {"a": "b"}
    assert app.secrets == {"tok": "env:TOK", "f": "file:./f.txt", "PLAIN": "env:PLAIN"}
    assert app.ssh == ("default", "k=./id")
    assert app.platforms == (Platform("linux", "amd64"),)
    assert app.extra == {
        "annotations": ["a=b"],
        "cache-from": [{"ref": "x/c", "type": "registry"}],
        "network": "none",
        "extra-hosts": {"db": "10.0.0.1"},
    }
    assert (services["base"].dockerfile, services["base"].image) == ("base/Dockerfile", "base")


def test_what_bake_would_not_export_is_a_helper(tmp_path: Path) -> None:
    services = config(tmp_path, replaying()).services
    assert [service.name for service in services.values() if service.helper] == ["base"]
    both = {**PRINTED, "group": {"default": {"targets": ["tool", "app-a", "base"]}}}
    services = config(tmp_path, replaying(both)).services
    assert not any(service.helper for service in services.values())


def test_images_that_differ_by_their_tags_only_are_called_as_their_targets(tmp_path: Path) -> None:
    targets = {name: {"tags": [f"x/app:{name}"]} for name in ("app-a", "app-b")}
    services = config(tmp_path, replaying({"target": targets})).services
    assert [service.image for service in services.values()] == ["x/app-a", "x/app-b"]


def test_bake_is_asked_once_services_are_and_again_after_a_change_only(tmp_path: Path) -> None:
    (tmp_path / ".hullwright").mkdir()
    first = replaying()
    made = config(tmp_path, first)
    assert first.calls == []
    assert "tool" in made.services
    assert len(first.calls) == 1
    second = replaying()
    assert list(config(tmp_path, second).services) == list(made.services)
    assert second.calls == []
    third = replaying()
    assert "tool" in config(tmp_path, third, "# another").services
    assert len(third.calls) == 1


@pytest.mark.parametrize(
    "text",
    [
        'variable "TOK" { default = "" }',
        '{"variable": {"TOK": {"default": ""}}}',
        'target "x" { secret = ["id=x"] }',
        'target "x" { args = { T = timestamp() } }',
    ],
)
def test_what_hangs_on_more_than_the_file_is_not_kept(tmp_path: Path, text: str) -> None:
    (tmp_path / ".hullwright").mkdir()
    assert config(tmp_path, replaying(TOK="hushhush"), text).services
    assert list((tmp_path / ".hullwright").iterdir()) == []


def test_a_configuration_with_services_asks_nobody(tmp_path: Path) -> None:
    (tmp_path / "hullwright.toml").write_text("[services.own]\n", encoding="utf-8")
    runner = replaying()
    assert list(config(tmp_path, runner).services) == ["own"]
    assert runner.calls == []


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            "#1 [internal] load\n#1 DONE 0.0s\ndocker-bake.hcl:2\nERROR: docker-bake.hcl:2,13: no",
            "docker-bake.hcl:2\ndocker-bake.hcl:2,13: no",
        ),
        ("ERROR: failed to find target default", 'group "default"'),
        ("", "bake refuses it"),
    ],
)
def test_a_broken_file_is_refused_with_bakes_words(tmp_path: Path, said: str, words: str) -> None:
    services = config(tmp_path, failing(said)).services
    with pytest.raises(ConfigurationError) as raised:
        list(services)
    assert raised.value.exit_code is ExitCode.USAGE
    (problem,) = raised.value.problems
    assert words in problem.message
    assert "#1" not in problem.message


def test_without_buildx_it_is_unavailable(tmp_path: Path) -> None:
    runner = failing("docker: 'buildx' is not a docker command.\nSee 'docker --help'")
    with pytest.raises(UnavailableError, match="needs docker buildx") as raised:
        list(config(tmp_path, runner).services)
    assert raised.value.exit_code is ExitCode.UNAVAILABLE
    assert "invoke setup" in raised.value.next_step


def test_the_files_are_those_that_bake_reads(tmp_path: Path) -> None:
    for name in ("docker-bake.hcl", "docker-bake.override.hcl", "other.hcl"):
        (tmp_path / name).touch()
    assert bake_files(tmp_path, {}) == ("docker-bake.hcl", "docker-bake.override.hcl")
    assert bake_files(tmp_path, {"BUILDX_BAKE_FILE": "other.hcl"}) == ("other.hcl",)
