"""A shop that was released to a registry of its own, and the tasks that work with that release."""

from __future__ import annotations

import json
import os
import secrets
from typing import TYPE_CHECKING

import pytest

from composing import docker
from flaky import Proxy, flaky
from registries import registry
from releasing import VERSION, Runs, Shop, forget, label
from repositories import Repository, isolated

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_COMPOSE = """\
name: {project}
services:
  api:
    image: ${{REGISTRY}}/{project}/api:${{TAG:-latest}}
    pull_policy: never
  web:
    build: web
    command: ["sleep", "600"]
"""


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A registry for these tests."""
    with registry(tmp_path_factory.mktemp("registry")) as running:
        yield running


@pytest.fixture(scope="session")
def built(
    engine: str, busybox: str, address: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    """Two images that were built and pushed as 1.4.1; no local store keeps them."""
    project = f"hwtest-{secrets.token_hex(5)}"
    shop = Shop(tmp_path_factory.mktemp("built"), project, address)
    for service in ("api", "web"):
        name = f"{shop.repository(service)}:{VERSION}"
        (shop.root / "Dockerfile").write_text(
            f"FROM {busybox}\n"
            f"LABEL org.opencontainers.image.version={VERSION} "
            f"org.opencontainers.image.revision={'a' * 40} "
            f"dev.hullwright.project={project} dev.hullwright.service={service} "
            f"dev.hullwright.fingerprint={'f' * 64}\n",
            encoding="utf-8",
        )
        docker("buildx", "build", "--quiet", "--provenance=false", "--tag", name, f"{shop.root}")
        docker("push", "--quiet", name)
        found = json.loads(docker("image", "inspect", name))[0]
        shop.digests[service] = found["RepoDigests"][0].partition("@")[2]
    forget(shop)
    yield shop
    forget(shop)
    assert not docker("image", "ls", "--quiet", "--filter", label(shop))


@pytest.fixture
def shop(built: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """A repository of a released shop, which is where tasks run; nothing is in the local store."""
    environ = isolated(tmp_path)
    repository = Repository.made(tmp_path / "shop", environ)
    shop = Shop(repository.root, built.project, built.address, built.digests)
    for service in shop.digests:
        repository.write(f"{service}/Dockerfile", "FROM scratch\n")
    repository.write("compose.yaml", _COMPOSE.format(project=shop.project))
    repository.write(
        "hullwright.toml",
        f'project = "shop"\nregistry = "{shop.address}/{shop.project}"\n'
        '[services.api]\ncontext = "api"\n[services.web]\ncontext = "web"\n',
    )
    repository.write(".gitignore", "")
    repository.commit("v1.4.1")
    monkeypatch.chdir(shop.root)
    for name in list(os.environ):
        if name.startswith(("HULLWRIGHT_", "GIT_", "GITHUB_", "CI")):
            monkeypatch.delenv(name)
    for name, value in {**environ, "NO_COLOR": "1", "REGISTRY": shop.address}.items():
        monkeypatch.setenv(name, value)
    yield shop
    forget(shop)


@pytest.fixture
def proxy(address: str) -> Iterator[Proxy]:
    """The registry behind a proxy that does what the test scripts."""
    with flaky(address) as running:
        yield running


@pytest.fixture
def run(shop: Shop, capsys: pytest.CaptureFixture[str]) -> Runs:
    """Return what runs a task in the shop's repository."""
    return Runs(capsys)
