"""What a repository says without a table: compose files, Dockerfiles, stages."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from hullwright.config.composefile import read_included
from hullwright.config.discover import compose_files, stages
from hullwright.config.load import load
from hullwright.config.models import Service
from hullwright.config.problems import ConfigurationError
from hullwright.errors import ExitCode
from hullwright.images import Platform

STAGES: Final = "FROM golang AS builder\nFROM --platform=linux/amd64 alpine as runtime\n"


class Repository:
    """A folder that is filled file by file, and looked at as a configuration."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir()

    def write(self, name: str, text: str = "FROM scratch\n") -> Repository:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", errors="surrogateescape")
        return self

    def services(self, **environ: str) -> dict[str, Service]:
        return dict(load(self.root, environ).services)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Return an empty repository called shop."""
    return Repository(tmp_path / "shop")


@pytest.mark.parametrize(
    ("present", "taken"),
    [
        ([], ()),
        (["compose.yml"], ("compose.yml",)),
        (["docker-compose.yml", "compose.yaml"], ("compose.yaml",)),
        (["docker-compose.yaml"], ("docker-compose.yaml",)),
        (
            ["compose.yaml", "compose.override.yaml", "compose.override.yml"],
            ("compose.yaml", "compose.override.yml"),
        ),
        (
            ["compose.yaml", "docker-compose.override.yml"],
            ("compose.yaml", "docker-compose.override.yml"),
        ),
        (["compose.override.yaml"], ()),
        (["docker-compose.dev.yml"], ()),
    ],
)
def test_stacks_are_the_files_that_compose_finds(
    repository: Repository, present: list[str], taken: tuple[str, ...]
) -> None:
    for name in present:
        repository.write(name, "services: {}")
    assert compose_files(repository.root, {}) == taken


def test_compose_file_variable_is_respected_as_compose_does(repository: Repository) -> None:
    repository.write("compose.yaml", "").write(".env", "A=1\nCOMPOSE_FILE='a.yaml:b.yaml'\n")
    assert compose_files(repository.root, {}) == ("a.yaml", "b.yaml")
    assert compose_files(repository.root, {"COMPOSE_FILE": "c.yaml"}) == ("c.yaml",)
    separated = {"COMPOSE_FILE": "c.yaml;d.yaml", "COMPOSE_PATH_SEPARATOR": ";"}
    assert compose_files(repository.root, separated) == ("c.yaml", "d.yaml")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (STAGES, ("builder", "runtime")),
        ("FROM golang AS builder\nFROM scratch\n", ("builder", "")),
        ("FROM scratch\n", ()),
        ("# FROM scratch AS no\nARG A\nfrom $A aS yes\n", ("yes",)),
        ("RUN echo FROM x AS y\n", ()),
    ],
)
def test_stages_of_a_dockerfile_are_targets(
    repository: Repository, text: str, named: tuple[str, ...]
) -> None:
    repository.write("Dockerfile", text)
    assert stages(repository.root / "Dockerfile") == named
    assert repository.services()["shop"].targets == named


def test_the_default_target_of_an_unnamed_last_stage_has_no_name(repository: Repository) -> None:
    repository.write("Dockerfile", "FROM golang AS builder\nFROM scratch\n")
    assert repository.services()["shop"].default_target == ""


def test_a_dockerfile_at_the_top_is_a_service_called_like_the_project(
    repository: Repository,
) -> None:
    assert repository.write("Dockerfile").services() == {"shop": Service("shop", image="shop")}


def test_dockerfiles_up_to_two_folders_deep_are_services_of_their_folders(
    repository: Repository,
) -> None:
    for name in (
        "api",
        "services/web",
        "other/web",
        "a/b/c",
        ".hidden",
        "node_modules/x",
        "vendor",
    ):
        repository.write(f"{name}/Dockerfile")
    services = repository.services()
    assert {name: service.context for name, service in services.items()} == {
        "api": "api",
        "web": "other/web",
        "services-web": "services/web",
    }
    assert services["api"].dockerfile == "api/Dockerfile"


def test_build_sections_are_services_with_the_stage_that_runs_as_default(
    repository: Repository,
) -> None:
    repository.write("Dockerfile", "FROM a AS runtime\nFROM b AS debug\n").write(
        "compose.yaml",
        """
        services:
          db: {image: postgres}
          short: {build: ./api}
          long:
            image: ghcr.io/team/long:1
            build: {context: ., target: runtime, args: [A=1, EMPTY=, FROM_OUTSIDE]}
          other: {build: {dockerfile: docker/other.Dockerfile, args: {B: 2, C: true, D: null}}}
        """,
    )
    services = repository.services()
    assert list(services) == ["short", "long", "other"]
    assert services["short"] == Service(
        "short", context="api", dockerfile="api/Dockerfile", image="short"
    )
    assert services["long"].image == "ghcr.io/team/long"
    assert services["long"].targets == ("debug", "runtime")
    assert services["long"].default_target == "runtime"
    assert services["long"].build_args == {"A": "1", "EMPTY": ""}
    assert services["other"].dockerfile == "docker/other.Dockerfile"
    assert services["other"].build_args == {"B": "2", "C": "true"}


def test_a_dockerfile_that_compose_builds_is_no_second_service(repository: Repository) -> None:
    repository.write("Dockerfile").write("tool/Dockerfile")
    repository.write("compose.yaml", "services: {web: {build: .}}")
    assert list(repository.services()) == ["web", "tool"]


def test_no_two_services_have_one_name(repository: Repository) -> None:
    repository.write("compose.yaml", "services: {shop: {build: web}, tool: {build: tool}}")
    for name in ("Dockerfile", "x/tool/Dockerfile", "y/tool/Dockerfile", "1 odd.name/Dockerfile"):
        repository.write(name)
    contexts = {name: service.context for name, service in repository.services().items()}
    assert contexts == {
        "shop": "web",
        "tool": "tool",
        "shop-image": ".",
        "1-odd-name": "1 odd.name",
        "x-tool": "x/tool",
        "y-tool": "y/tool",
    }


def test_values_with_tags_of_any_kind_are_read(repository: Repository) -> None:
    repository.write(
        "compose.yaml",
        "services: {web: {build: {context: !x web, args: !override [A=1], target: !reset x}}}",
    )
    web = repository.services()["web"]
    assert (web.context, web.build_args, web.targets) == ("web", {"A": "1"}, ())


def test_what_compose_alone_can_build_is_left_to_it(repository: Repository) -> None:
    repository.write(
        "compose.yaml",
        """
        services:
          remote: {build: "https://example.com/x.git"}
          git: {build: {context: "git@example.com:x/y.git"}}
          inline: {build: {context: ., dockerfile_inline: FROM scratch}}
        """,
    )
    assert repository.services() == {}


def test_files_override_each_other(repository: Repository) -> None:
    repository.write(
        "compose.yaml",
        """
        services:
          web: {build: {context: web, target: production, args: {A: 1, B: 1}}}
          gone: {build: gone}
        """,
    ).write(
        "compose.override.yaml",
        """
        services:
          web: {build: {target: development, args: {B: 2}}, ports: !override ["1:1"]}
          gone: {build: !reset null}
          more: {build: !override {context: more}, environment: !reset []}
        """,
    )
    services = repository.services()
    assert list(services) == ["web", "more"]
    assert services["web"].targets == ("development",)
    assert services["web"].build_args == {"A": "1", "B": "2"}


def test_anchors_extends_and_includes_are_followed(repository: Repository) -> None:
    repository.write(
        "compose.yaml",
        """
        include:
          - sub/compose.yaml
          - {path: [odd/one.yaml], project_directory: .}
        x-build: &build {build: {context: shared}}
        services:
          anchored: {<<: *build}
          child: {extends: anchored}
          cousin: {extends: {service: base, file: sub/base.yaml}}
        """,
    )
    repository.write("sub/compose.yaml", "services: {included: {build: ./here}}")
    repository.write("sub/base.yaml", "services: {base: {build: {context: ., target: t}}}")
    repository.write("odd/one.yaml", "services: {odd: {build: ./at-top}}")
    contexts = {name: service.context for name, service in repository.services().items()}
    assert contexts == {
        "included": "sub/here",
        "odd": "at-top",
        "anchored": "shared",
        "child": "shared",
        "cousin": "sub",
    }


def test_variables_have_their_values_or_defaults(repository: Repository) -> None:
    repository.write(
        "compose.yaml",
        """
        services:
          web:
            image: ${REGISTRY:-quay.io}/web:${TAG}
            build: {context: "${WHERE-web}", args: {A: "$NAME", B: "$$NAME", C: "${NONE}"}}
        """,
    )
    service = repository.services(NAME="x", TAG="1")["web"]
    assert (service.image, service.context) == ("quay.io/web", "web")
    assert service.build_args == {"A": "x", "B": "$NAME", "C": ""}
    assert repository.services(REGISTRY="127.0.0.1:1")["web"].image == "127.0.0.1:1/web"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("services:\n  a: [", "compose.yaml.*not YAML: line 2"),
        ("services:\n  a: 1\n  a: 2\n", "duplicate key"),
        ("services: {a: \x01}", "compose.yaml.*not YAML"),
        ("services: {a: \udcff}", "compose.yaml.*not YAML"),
        ("include: compose.yaml", "includes itself"),
        ("include: missing.yaml", "missing.yaml.*cannot be read: No such file"),
    ],
)
def test_a_compose_file_that_cannot_be_read_is_named(
    repository: Repository, text: str, problem: str
) -> None:
    repository.write("compose.yaml", text)
    with pytest.raises(ConfigurationError, match=f"(?s){problem}") as raised:
        repository.services()
    assert raised.value.exit_code == ExitCode.USAGE


@pytest.mark.parametrize(
    "text", ["", "[]", "services: []", "services: {a: null, b: {build: null}}"]
)
def test_an_empty_compose_file_has_no_services(repository: Repository, text: str) -> None:
    assert repository.write("compose.yaml", text).services() == {}


def test_all_that_bake_knows_of_a_build_section_is_taken(repository: Repository) -> None:
    repository.write(
        "compose.yaml",
        """
        services:
          base: {build: base}
          web:
            build:
              context: web
              additional_contexts: [base=service:base, assets=./assets, "x=docker-image://x:1"]
              args: [FROM_OUTSIDE, MISSING]
              ssh: [default, deploy=./key]
              secrets: [token, {source: file, target: netrc}]
              cache_from: ["alpine:3", "type=local,src=$WHERE"]
              cache_to: ["type=local,dest=c"]
              platforms: [linux/arm64]
              labels: {a: b, org.opencontainers.image.version: "1"}
              network: none
              extra_hosts: ["db:10.0.0.1", "six=::1", nonsense]
              shm_size: 64m
          cli: {build: {context: ., ssh: {default: null, id: ./key}, extra_hosts: {a: 10.0.0.2}}}
        secrets:
          token: {environment: TOKEN}
          file: {file: ./deploy/netrc}
        """,
    )
    services = repository.services(WHERE="c", FROM_OUTSIDE="x")
    web = services["web"]
    assert web.contexts == {"base": "service:base", "assets": "assets", "x": "docker-image://x:1"}
    assert web.build_args == {"FROM_OUTSIDE": "x"}
    assert web.ssh == ("default", "deploy=./key")
    assert web.secrets == {"token": "env:TOKEN", "netrc": "file:deploy/netrc"}
    assert web.platforms == (Platform("linux", "arm64"),)
    assert web.labels == {"a": "b"}
    assert web.extra == {
        "cache-from": ["alpine:3", "type=local,src=c"],
        "cache-to": ["type=local,dest=c"],
        "network": "none",
        "shm-size": "64m",
        "extra-hosts": {"db": "10.0.0.1", "six": "::1"},
    }
    assert services["cli"].ssh == ("default", "id=./key")
    assert services["cli"].extra == {"extra-hosts": {"a": "10.0.0.2"}}


def test_what_is_included_has_env_files_of_its_own(repository: Repository) -> None:
    repository.write(
        "compose.yaml",
        """
        include:
          - sub/compose.yaml
          - {path: [odd/one.yaml, odd/two.yaml], project_directory: odd, env_file: odd/test.env}
        """,
    )
    repository.write("sub/compose.yaml", "include: [in/c.yaml]\nservices: {a: {image: a}}\n")
    repository.write("sub/in/c.yaml", "services: {inner: {image: c}}\n")
    repository.write("odd/one.yaml", "services: {b: {image: b}}\n")
    repository.write("odd/two.yaml", "services: {c: {image: c}}\n")
    found = read_included(repository.root, ["compose.yaml"], {})
    assert [
        (sorted(each.services), [path.relative_to(repository.root).as_posix() for path in files])
        for each in found
        for files in [each.env_files]
    ] == [
        (["a", "inner"], ["sub/.env"]),
        (["inner"], ["sub/in/.env"]),
        (["b"], ["odd/test.env"]),
        (["c"], ["odd/test.env"]),
    ]
