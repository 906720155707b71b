"""Two BuildKit daemons that stand for two machines, and repositories that build on them.

The first is plain, the second speaks TLS only. Neither sees the engine's store: base images come
from a registry that is their mirror of Docker Hub.
"""

from __future__ import annotations

import json
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from buildkit import Certificates, certificates, daemon, mirrored
from composing import docker
from matrix import Matrix, matrix_in
from registries import registry

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True)
class Site:
    """Two daemons and the registry beside them.

    Attributes:
        plain, secure: their addresses.
        files: for TLS, of the second.
        registry: `host:port`; it has `library/base:1`.
    """

    plain: str
    secure: str
    files: Certificates
    registry: str

    def node(self, which: str, *platforms: str) -> str:
        """Return a node in TOML: the `plain` or the `secure` one."""
        said = f", platforms = {json.dumps(platforms)}" if platforms else ""
        if which == "plain":
            return f'{{ endpoint = "{self.plain}"{said} }}'
        files = self.files
        tls = f'ca = "{files.ca}", cert = "{files.cert("client")}", key = "{files.key("client")}"'
        return f'{{ endpoint = "{self.secure}", {tls}{said} }}'


@pytest.fixture(scope="session")
def site(busybox: str) -> Iterator[Site]:
    """Yield the daemons, with an image in their mirror."""
    with ExitStack() as stack:
        folders = [
            Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hwbk-"))) for _ in range(3)
        ]
        address = stack.enter_context(registry(folders[2]))
        base = f"{address}/library/base:1"
        docker("tag", busybox, base)
        try:
            docker("push", "--quiet", base)
        finally:
            docker("image", "rm", base)
        files, config = certificates(folders[1]), mirrored(address)
        plain = stack.enter_context(daemon(folders[0], config=config))
        secure = stack.enter_context(daemon(folders[1], config=config, tls=files))
        yield Site(plain.address, secure.address, files, address)


def configured(matrix: Matrix, nodes: Sequence[str], *more: str, required: bool = True) -> None:
    """Let a repository build on a builder `far` with these nodes, from the mirror's base.

    `more` are lines of the table `build`.
    """
    lines = [
        "[build]",
        'builder = "far"',
        *more,
        "[builders.far]",
        'driver = "remote"',
        f"nodes = [{', '.join(nodes)}]",
        f"required = {json.dumps(required)}",
    ]
    path = matrix.root / "hullwright.toml"
    head, mark, _ = path.read_text(encoding="utf-8").partition("\n[build]\n")
    path.write_text("\n".join([head.rstrip(), "", *lines]) + "\n", encoding="utf-8")
    assert mark in {"", "\n[build]\n"}
    for name in matrix.names:
        matrix.repository.write(
            f"services/{name}/Dockerfile",
            f"FROM base:1\nCOPY steps.sh /{name}.sh\nRUN sh /{name}.sh > /{name}.txt\n",
        )
    matrix.commit()


@pytest.fixture
def far(site: Site, tmp_path: Path) -> Iterator[Matrix]:
    """Yield a repository of two services; what buildx keeps of its builders is removed."""
    with matrix_in(tmp_path, 2) as matrix:
        try:
            yield matrix
        finally:
            forget(matrix)


def forget(matrix: Matrix) -> None:
    """Remove the builders of a repository from buildx."""
    for number in (1, 2):
        docker("buildx", "rm", f"hullwright-{matrix.project}-far-{number}", check=False)
