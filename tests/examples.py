"""The examples, each copied out of this repository into a repository of its own.

An example is there for people who copy it, and its versions come from its own tags. So a test takes
what Git would give of its folder, commits and tags that somewhere else, and calls its tasks there.
Everything that a copy makes has a name of its own: the compose project, the images' registry, the
port. All of it is removed afterwards; base images and BuildKit's caches are shared and stay.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import imaging
from composing import environ_of, remove, there
from repositories import Repository, isolated
from sources import ROOT
from spreading import one_at_a_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

EXAMPLES: Final = ROOT / "examples"
RECIPES: Final = ROOT / "deploy/base-images"
_KEY: Final = "deploy/environments/development.agekey"
_BIN: Final = Path(sys.executable).parent
# Of the machine that runs the tests, they would change what a task prints or does. What says where
# its tools, certificates and package indices are, stays.
_FOREIGN: Final = ("HULLWRIGHT_", "GITHUB_", "GITLAB_", "GIT_AUTHOR", "GIT_COMMITTER", "SOPS_")
_FOREIGN_NAMES: Final = frozenset({"CI", "FORCE_COLOR", "PORT", "NOXSESSION"})
_TASK_S: Final = 900
_NS_OF_S: Final = 1e9
_ANSWER_S: Final = 20
_PATIENCE_S: Final = 60
_BETWEEN_S: Final = 0.2


@dataclass(frozen=True)
class Answer:
    """What an HTTP server answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Example:
    """A copy of an example, in which its tasks are called as its team calls them.

    Attributes:
        name: of its folder below `examples/`.
        path: its root.
        project: the compose project; images of the tasks are called `PROJECT.invalid/…`.
        port: a port of 127.0.0.1 that was free; the copy's variable PORT.
        repository: its Git repository, to write, commit and tag in.
    """

    name: str
    path: Path
    project: str
    port: int
    repository: Repository
    environ: dict[str, str] = field(repr=False)

    def run(
        self, *words: str, code: int = 0, stdin: str | None = None, **environ: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a program in the copy; another exit code than `code` fails the test."""
        program = _BIN / words[0] if (_BIN / words[0]).exists() else words[0]
        done = subprocess.run(
            (str(program), *words[1:]),
            cwd=self.path,
            env=self.environ | environ,
            input=stdin or "",
            capture_output=True,
            text=True,
            timeout=_TASK_S,
            check=False,
        )
        assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def invoke(self, *words: str, code: int = 0, **environ: str) -> str:
        """Run a task and return what it printed as its result."""
        return self.run("invoke", *words, code=code, **environ).stdout

    def json(self, *words: str, code: int = 0, **environ: str) -> Any:
        """Run a task and return its machine form."""
        return json.loads(self.invoke(*words, "--format", "json", code=code, **environ))

    def compose(self, *words: str, code: int = 0, **environ: str) -> str:
        """Run plain `docker compose` on the same project and return what it printed."""
        return self.run("docker", "compose", *words, code=code, **environ).stdout

    def container(self, service: str) -> str:
        """Return the id of the one container of a compose service."""
        # By its labels: Compose would want a value for each variable of the files first.
        labels = {"project": self.project, "service": service, "oneoff": "False"}
        wanted = (f"--filter=label=com.docker.compose.{key}={each}" for key, each in labels.items())
        found = self.run("docker", "ps", "--all", "--quiet", *wanted).stdout.split()
        assert len(found) == 1, f"{service} has {len(found)} containers"
        return found[0]

    def inspect(self, service: str) -> Any:
        """Return what the engine knows of the one container of a compose service."""
        return json.loads(self.run("docker", "inspect", self.container(service)).stdout)[0]

    def passes(self, service: str) -> bool:
        """Return whether the health check of a container passes now, in the time that it has."""
        check = self.inspect(service)["Config"]["Healthcheck"]
        kind, *words = check["Test"]
        command = ["sh", "-c", *words] if kind == "CMD-SHELL" else words
        probe = ("docker", "exec", self.container(service), *command)
        limit_s = check["Timeout"] / _NS_OF_S
        try:
            done = subprocess.run(probe, capture_output=True, timeout=limit_s, check=False)
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0

    @contextmanager
    def frozen(self, service: str) -> Iterator[None]:
        """Hold the first process of a container still: it is there, and does nothing."""
        container = self.container(service)
        self.run("docker", "kill", f"--signal={signal.SIGSTOP.name}", container)
        try:
            yield
        finally:
            self.run("docker", "kill", f"--signal={signal.SIGCONT.name}", container)

    def address(self, service: str, port: int) -> tuple[str, int]:
        """Return where a port of a service answers: where it is published, else in its network."""
        found = self.inspect(service)["NetworkSettings"]
        published = (found["Ports"] or {}).get(f"{port}/tcp") or []
        if published:
            return "127.0.0.1", int(published[0]["HostPort"])
        network = next(n for n in found["Networks"].values() if n["IPAddress"])
        return str(network["IPAddress"]), port

    def request(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: dict[str, str] | None = None,
        at: tuple[str, int] | None = None,
    ) -> Answer:
        """Return the answer to one HTTP request; a body that is no text or bytes goes as JSON.

        Args:
            method: of the request.
            path: with the query.
            body: what is sent.
            headers: beside those that the body needs.
            at: address, such as `address` returns; default 127.0.0.1 and the copy's port.
        """
        host, port = at or ("127.0.0.1", self.port)
        told = dict(headers or {})
        if body is not None and not isinstance(body, str | bytes):
            body = json.dumps(body)
            told.setdefault("Content-Type", "application/json")
        connection = HTTPConnection(host, port, timeout=_ANSWER_S)
        try:
            connection.request(method, path, body, told)
            answer = connection.getresponse()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, headers, answer.read())
        finally:
            connection.close()

    def write(self, name: str, text: str) -> None:
        """Write a file of the work tree."""
        self.repository.write(name, text)

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace a text that a file holds exactly once."""
        text = (self.path / name).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{name} has {old!r} {text.count(old)} times"
        (self.path / name).write_text(text.replace(old, new), encoding="utf-8")

    def commit(self, message: str, *tags: str) -> str:
        """Commit the work tree as it is, tag it, and return the commit."""
        self.repository.commits += 1
        self.repository.git("add", "--all")
        self.repository.git("commit", "--quiet", "--allow-empty", f"--message={message}")
        for tag in tags:
            self.repository.git("tag", tag)
        return self.repository.git("rev-parse", "HEAD")

    def prepare(self) -> None:
        """Have the base images present: of the local store, a registry, or as stand-ins."""
        shared = Path(tempfile.gettempdir()) / "hullwright-test-bases.lock"
        with one_at_a_time(shared):
            self.invoke("images", "--prepare", "--stand-ins")

    @contextmanager
    def started(self, *words: str) -> Iterator[Example]:
        """Hold the stack up by `invoke up WORDS`; it goes down with its volumes."""
        try:
            self.invoke("up", *words)
            yield self
        finally:
            self.remove()

    def remove(self) -> None:
        """Remove the containers, networks and volumes of the copy."""
        remove(self.project)
        assert not any(there(self.project).values())


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def example(
    name: str, folder: Path, *, tags: Sequence[str] = ("v1.0.0",), **environ: str
) -> Iterator[Example]:
    """Yield a copy of an example, committed, tagged, its base images present; remove what it made.

    Args:
        name: of the folder below `examples/`.
        folder: where the copy is made.
        tags: of its one commit.
        environ: more variables of its runs, such as further ports that it publishes.
    """
    with _held(name, folder, environ) as made:
        _copy(name, made.path)
        made.commit(f"The example {name}", *tags)
        made.prepare()
        yield made


@contextmanager
def written(name: str, folder: Path, files: Mapping[str, str]) -> Iterator[Example]:
    """Yield a repository of these files in the manner of `example`."""
    with _held(name, folder, {}) as made:
        for path, text in files.items():
            made.write(path, text)
        made.commit("Its files")
        made.prepare()
        yield made


def until_true(question: Callable[[], bool], what: str) -> None:
    """Return as soon as a question has the answer yes; errors of a connection are a no.

    For what other programs bring about and nobody tells of; after a minute the test fails.
    """
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        with suppress(OSError, HTTPException):
            if question():
                return
        assert time.monotonic() < deadline, f"not within {_PATIENCE_S} s: {what}"
        time.sleep(_BETWEEN_S)


@contextmanager
def _held(name: str, folder: Path, environ: Mapping[str, str]) -> Iterator[Example]:
    # Compose's own form of a name, and short: it becomes part of a domain and of a network.
    project = f"hwex-{name}-{uuid4().hex[:6]}"
    port = free_port()
    path = folder / name
    variables = {**_environ(folder, name, project, port), **environ}
    made = Example(name, path, project, port, Repository.made(path, variables), variables)
    try:
        yield made
    finally:
        made.remove()
        imaging.remove(imaging.matching(f"{project}.invalid/*", f"{project}.invalid/*/*"))
        imaging.forget(project)


def _copy(name: str, path: Path) -> None:
    """Copy what a clone would have of an example, and what is not committed yet."""
    listed = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", ".")
    done = subprocess.run(listed, cwd=EXAMPLES / name, check=True, capture_output=True, text=True)
    for file in filter(None, done.stdout.split("\0")):
        source = EXAMPLES / name / file
        if source.exists():
            (path / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, path / file)


def _environ(folder: Path, name: str, project: str, port: int) -> dict[str, str]:
    kept = {
        variable: value
        for variable, value in environ_of(folder / f"{name}-state").items()
        if not variable.startswith(_FOREIGN) and variable not in _FOREIGN_NAMES
    }
    identity = {k: v for k, v in isolated(folder).items() if k.startswith("GIT_")}
    # One without a key of its own has been encrypted to this repository's.
    key = {} if (EXAMPLES / name / _KEY).exists() else {"SOPS_AGE_KEY_FILE": str(ROOT / _KEY)}
    return {
        **kept,
        **identity,
        **key,
        # The suite of this work tree, whichever one is installed.
        "PYTHONPATH": str(ROOT / "src"),
        "COMPOSE_PROJECT_NAME": project,
        "HULLWRIGHT_PROJECT": project,
        # Images of its own name: removing them must not remove those of somebody else.
        "HULLWRIGHT_REGISTRY": f"{project}.invalid",
        "HULLWRIGHT_STAND_INS": os.pathsep.join([str(RECIPES)]),
        "PORT": str(port),
    }
