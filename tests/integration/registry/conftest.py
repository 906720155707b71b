"""Registries of their own for these tests, and images without an engine."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from answering import made
from flaky import Proxy, flaky
from hullwright.run import Runner
from hullwright.tools.registryclient import Manifest, Patience, RegistryClient, connect
from registries import registry, upload
from replaying import workspace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hullwright.workspace import Workspace

CONFIG = b'{"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers"}}'
# The pauses themselves are held by unit tests.
HASTE = Patience(first_s=0.01, most_told_s=0.01)


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A registry for everybody, that removes manifests; tests have repositories of their own."""
    with registry(tmp_path_factory.mktemp("registry"), delete=True) as running:
        yield running


@pytest.fixture
def proxy(address: str) -> Iterator[Proxy]:
    """The same registry behind a proxy that does what the test scripts."""
    with flaky(address) as running:
        yield running


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    """A workspace whose Docker has no login yet."""
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    return workspace(tmp_path, None, Runner(environ), **environ)


@pytest.fixture
def client(ws: Workspace, proxy: Proxy) -> RegistryClient:
    """A client of the registry behind the proxy."""
    return connect(ws, proxy.address, patience=HASTE)


@pytest.fixture
def manifest(address: str, repository: str) -> Manifest:
    """A manifest whose content the registry has, and no tag yet."""
    digest = upload(address, repository, CONFIG)
    config = {
        "mediaType": "application/vnd.oci.image.config.v1+json",
        "digest": digest,
        "size": len(CONFIG),
    }
    return made(config=config, layers=[])


@pytest.fixture
def repository(tmp_path: Path) -> str:
    """A repository of the test's own."""
    return f"team/{tmp_path.name.lower().replace('_', '-').strip('-')}"
