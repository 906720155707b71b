"""Repositories that push to a registry of their own, with a proxy in front that misbehaves."""

from __future__ import annotations

import base64
import json
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

import imaging
from flaky import Proxy, flaky
from matrix import Matrix, made
from registries import PASSWORD, USER, registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_ACCEPT = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json"
LOGIN = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
# One tag of a commit, which never moves, and two that do.
TAGS = """
tags = [
  { type = "sha" },
  { type = "ref", event = "branch" },
  { type = "raw", value = "stable" },
]
"""


@dataclass
class Yard:
    """A repository that pushes, the registry behind, and the proxy that it pushes to."""

    matrix: Matrix
    proxy: Proxy

    def tags(self, service: str, *, staging: bool = False) -> dict[str, str]:
        """Return the digest of each tag of a service's repository; past the proxy."""
        path = f"team/{self.matrix.project}/{service}"
        found = self._get(f"{path}/tags/list")
        names = (json.loads(found[0]).get("tags") or []) if found else []
        named = {}
        for name in names:
            if staging or not name.startswith("hullwright-"):
                answer = self._get(f"{path}/manifests/{name}")
                assert answer is not None
                named[name] = answer[1]
        return named

    def all_tags(self) -> dict[str, str]:
        """Return the release tags of every service, as `service:tag`."""
        return {
            f"{service}:{tag}": digest
            for service in self.matrix.names
            for tag, digest in self.tags(service).items()
        }

    def document(self, service: str, tag: str) -> Any:
        """Return the manifest or index of a tag."""
        answer = self._get(f"team/{self.matrix.project}/{service}/manifests/{tag}")
        assert answer is not None
        return json.loads(answer[0])

    def push(self, *words: str, code: int = 0, **more: str) -> str:
        """Push, and return everything that was said."""
        done = self.matrix.run("push", *words, code=code, **more)
        return f"{done.stdout}{done.stderr}"

    def _get(self, path: str) -> tuple[bytes, str] | None:
        request = urllib.request.Request(
            f"http://{self.proxy.upstream}/v2/{path}",
            headers={"Accept": _ACCEPT, "Authorization": f"Basic {LOGIN}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310  loopback
                return answer.read(), answer.headers.get("Docker-Content-Digest", "")
        except urllib.error.HTTPError as error:
            error.close()
            return None


def sha(yard: Yard) -> str:
    """Return the tag of the commit."""
    return f"sha-{yard.matrix.repository.git('rev-parse', 'HEAD')[:7]}"


@contextmanager
def yard_in(
    folder: Path,
    count: int = 2,
    *,
    tags: str = TAGS,
    configuration: str = "",
    login: bool = False,
    delete: bool = False,
) -> Iterator[Yard]:
    """Yield a repository that pushes to a registry behind a proxy; its images are removed."""
    with registry(folder, login=login, delete=delete) as upstream, flaky(upstream) as proxy:
        matrix = made(
            folder,
            count,
            registry=f"{proxy.address}/team",
            configuration=f"{tags}{configuration}",
        )
        # A development version: what did not change is current.
        matrix.repository.write("README.md", "A second commit.\n")
        matrix.commit()
        try:
            yield Yard(matrix, proxy)
        finally:
            imaging.forget(matrix.project)


@pytest.fixture
def yard(busybox: str, tmp_path: Path) -> Iterator[Yard]:
    """Yield a repository of two services; the registry removes manifests, if it is asked to."""
    with yard_in(tmp_path, delete=True) as made_yard:
        yield made_yard


@pytest.fixture(scope="module")
def pushed(busybox: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    """Yield a repository of two services that was pushed; tests leave its tags as they are."""
    with yard_in(tmp_path_factory.mktemp("pushed")) as made_yard:
        made_yard.push()
        yield made_yard
