"""The text of a plan, as `--dry` prints it, and the definition that bake gets of it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from hullwright import build
from hullwright.build import BuildRequest, SourceVersion
from hullwright.config.models import Build, Config, Service
from hullwright.images import Platform
from hullwright.run import Result
from replaying import Replay, workspace

if TYPE_CHECKING:
    from hullwright.build import BuildPlan

HERE = Path(__file__).parent
PLATFORMS = (Platform("linux", "amd64"), Platform("linux", "arm64"))
VERSION = SourceVersion(
    "1.4.1-0.dev.12+g1a2b3c4",
    "1.4.1-0.dev.12.g1a2b3c4",
    "1a2b3c4" + "0" * 33,
    "2026-11-20T10:00:00Z",
    arguments={"VERSION": "1.4.1-0.dev.12+g1a2b3c4"},
)
DOCKERFILES = {
    "base": "FROM scratch AS builder\nFROM scratch AS production\nARG VERSION\n",
    "api": "FROM team/base:1-builder AS made\nFROM team/base\nCOPY --from=made /api /api\n",
    "web": "FROM assets\nRUN --mount=type=secret,id=npm true\n",
}
SERVICES = {
    "base": Service(
        "base", dockerfile="base.Dockerfile", targets=("production",), image="team/base"
    ),
    "api": Service("api", dockerfile="api.Dockerfile", platforms=PLATFORMS),
    "web": Service(
        "web",
        dockerfile="web.Dockerfile",
        contexts={"assets": "docker-image://debian:13", "shared": "../shared"},
        cache=("registry", "local"),
        secrets={"npm": "NPM_TOKEN", "site": "env:SITE_TOKEN"},
        build_args={"NODE_ENV": "production"},
    ),
}


def plan(root: Path, request: BuildRequest) -> BuildPlan:
    for name, text in DOCKERFILES.items():
        (root / f"{name}.Dockerfile").write_text(text, encoding="utf-8")
    config = Config(
        "shop",
        registry="registry.example.com/x",
        services=SERVICES,
        build=Build(jobs=2, cache=("gha",)),
    )
    answers: dict[tuple[str, ...], Result] = {("docker", "image", "inspect"): Result((), 0, "[]")}
    ws = workspace(root, config, Replay({}, results=answers), CI="true", SITE_TOKEN="s")
    return build.plan(ws, request, lambda _: VERSION)


def golden(name: str, text: str, root: Path) -> None:
    """Compare a text with a golden file, the folder of the test taken out of it."""
    file, told = HERE / name, f"{text}\n".replace(str(root.parent), "/src")
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(told, encoding="utf-8")
    assert told == file.read_text(encoding="utf-8")


def repository(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    root.mkdir()
    return root


def test_a_plan_shows_siblings_caches_secrets_and_jobs(tmp_path: Path) -> None:
    root = repository(tmp_path)
    made = plan(root, BuildRequest(fail_fast=True))
    golden("plan.txt", made.text(), root)
    golden("plan.json", made.definition(), root)


def test_a_plan_shows_outputs_flags_and_what_is_only_needed(tmp_path: Path) -> None:
    root = repository(tmp_path)
    request = BuildRequest(
        services=("api",),
        platforms=("linux/arm64",),
        outputs=("type=oci,dest=../out/{service}.tar",),
        jobs=1,
        no_cache=True,
        pull=True,
        set_=("api.args.FLAVOUR=sour",),
        allow=("network.host",),
    )
    golden("plan-outputs.txt", plan(root, request).text(), root)
