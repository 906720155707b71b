"""The stand-ins of compilers: what is built on them without a network is a program that runs.

Ready stand-ins are taken as they are. Where the store lacks them, or their recipe has changed,
they are prepared first, as anybody's are, and stay: that takes minutes instead of seconds.
"""

from __future__ import annotations

import io
import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from composing import docker, environ_of
from hullwright import bases
from hullwright.config.models import Config, Service
from hullwright.console import Console
from hullwright.run import Runner
from hullwright.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.docker

ROOT: Final = Path(__file__).parents[3]
SOURCES: Final = {
    "golang": {
        "Dockerfile": """\
FROM golang:1.26-trixie AS builder
WORKDIR /src
COPY go.mod main.go ./
RUN --network=none CGO_ENABLED=0 go build -o /hello .
FROM scratch
COPY --from=builder /hello /hello
ENTRYPOINT ["/hello"]
""",
        "go.mod": "module example.com/hello\n\ngo 1.26\n",
        "main.go": 'package main\n\nimport "fmt"\n\nfunc main() { fmt.Println("hello, go") }\n',
    },
    "rust": {
        "Dockerfile": """\
FROM rust:1.85-slim-trixie
WORKDIR /src
COPY Cargo.toml ./
COPY src src
RUN --network=none cargo build --release --offline && mv target/release/hello /hello
ENTRYPOINT ["/hello"]
""",
        "Cargo.toml": '[package]\nname = "hello"\nversion = "0.1.0"\nedition = "2024"\n',
        "src/main.rs": 'fn main() { println!("hello, rust"); }\n',
    },
}


@pytest.fixture
def image(engine: str) -> Iterator[str]:
    """Yield the name of an image that is removed again."""
    name = f"hullwright-test/hello:{secrets.token_hex(4)}"
    yield name
    docker("image", "rm", "--force", name, check=False)


def repository(folder: Path, language: str) -> Workspace:
    """Return a repository with a program and with the recipe of what compiles it."""
    for name, text in SOURCES[language].items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    shutil.copytree(ROOT / "deploy/base-images" / language, folder / "deploy/base-images/one")
    environ = environ_of(folder.with_name("state"))
    console = Console(environ, out=io.StringIO(), err=io.StringIO())
    config = Config("hello", services={"hello": Service("hello")})
    return Workspace(folder, config, Runner(environ), console, environ)


@pytest.mark.parametrize(("language", "said"), [("golang", "hello, go"), ("rust", "hello, rust")])
def test_a_program_is_compiled_without_a_network(
    language: str, said: str, image: str, tmp_path: Path
) -> None:
    folder = tmp_path / "repository"
    prepared = bases.prepare(repository(folder, language), stand_ins=True)
    assert [base.state for base in prepared.listing.images] == ["present"]
    docker(
        "buildx", "build", "--quiet", "--load", "--provenance=false", "--tag", image, str(folder)
    )
    assert docker("run", "--rm", "--network=none", image) == said
