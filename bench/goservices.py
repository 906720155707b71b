"""Six small Go services of one repository, with the usual Dockerfile and one that shares.

Each service answers over HTTP and makes JSON, so each needs the same large part of the standard
library. The usual Dockerfile compiles it in every target; the other one has a step that all targets
share, which compiles what any of them needs, once for each architecture.
"""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

NAMES: Final = ("accounts", "catalogue", "gateway", "invoices", "search", "shipping")
_MAIN: Final = """package main

import (
	"encoding/json"
	"log"
	"net/http"
	"os"
)

const name, revision = "%(name)s", "%(revision)s"

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		json.NewEncoder(w).Encode(map[string]string{"service": name, "revision": revision})
	})
	log.Fatal(http.ListenAndServe(":"+os.Getenv("PORT"), nil))
}
"""
_HEAD: Final = """FROM --platform=$BUILDPLATFORM golang:1.26-trixie AS builder
ARG TARGETOS TARGETARCH
ENV CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH GOFLAGS=-trimpath
WORKDIR /src
COPY . .
"""
_USUAL: Final = """ARG SERVICE
RUN --mount=type=cache,id=%(cache)s,target=/root/.cache/go-build \\
    go build -ldflags='-s -w' -o /out/service ./$SERVICE

FROM scratch
COPY --from=builder /out/service /service
ENTRYPOINT ["/service"]
"""
_SHARED: Final = """# The same step in every target, so it runs once for each architecture.
# What does not compile is told below, by its own target: it must not fail the others.
RUN --mount=type=cache,id=%(cache)s,target=/root/.cache/go-build \\
    mkdir /out && go build -ldflags='-s -w' -o /out/ ./... || true
ARG SERVICE
RUN --mount=type=cache,id=%(cache)s,target=/root/.cache/go-build \\
    test -x /out/$SERVICE || go build -ldflags='-s -w' -o /out/$SERVICE ./$SERVICE

FROM scratch
ARG SERVICE
COPY --from=builder /out/$SERVICE /service
ENTRYPOINT ["/service"]
"""


def make(folder: Path, *, project: str) -> None:
    """Write the repository; `tasks.py` and a configuration included."""
    folder.mkdir()
    (folder / "go.mod").write_text("module example.test/services\n\ngo 1.26\n")
    (folder / "tasks.py").write_text(
        "from hullwright.tasks import collection\n\nns = collection()\n"
    )
    services = "".join(
        f'[services.{name}]\ndockerfile = "Dockerfile"\nimage = "{project}/{name}"\n'
        f'build-args = {{ SERVICE = "{name}" }}\n\n'
        for name in NAMES
    )
    (folder / "hullwright.toml").write_text(f'project = "{project}"\n\n{services}')
    (folder / ".dockerignore").write_text("*\n!go.mod\n!*/main.go\n")
    (folder / ".gitignore").write_text("__pycache__/\n")
    change(folder, "first")
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "Six services"]):
        git(folder, *words)


def git(folder: Path, *words: str) -> None:
    """Run Git with an identity of its own."""
    who = ("-c", "user.name=bench", "-c", "user.email=bench@example.test")
    subprocess.run(["git", *who, *words], cwd=folder, check=True)


def change(folder: Path, revision: str) -> None:
    """Change one line in each service."""
    for name in NAMES:
        (folder / name).mkdir(exist_ok=True)
        (folder / name / "main.go").write_text(_MAIN % {"name": name, "revision": revision})


def dockerfile(folder: Path, *, shared: bool, cache: str) -> None:
    """Write the Dockerfile, with a compiler cache of this name: a new name is a cold one."""
    text = f"{_HEAD}{_SHARED if shared else _USUAL}"
    (folder / "Dockerfile").write_text(text % {"cache": cache})


def bake_file(folder: Path, project: str, platforms: tuple[str, ...]) -> Path:
    """Write the definition that a team would write for plain bake, and return it."""
    targets = {
        name: {
            "context": ".",
            "args": {"SERVICE": name},
            "platforms": list(platforms),
            "tags": [f"{project}/{name}:plain"],
            "output": ["type=docker"],
            "attest": ["type=provenance,disabled=true"],
        }
        for name in NAMES
    }
    file = folder.parent / "bake.json"
    file.write_text(json.dumps({"group": {"default": {"targets": list(NAMES)}}, "target": targets}))
    return file
