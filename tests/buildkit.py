"""A BuildKit daemon of its own for tests of builders that are not the engine's.

It is compiled once from its Go module into the folder of built tools, and kept there: no package
brings it. It listens on a socket below the test's folder, or with TLS on a port of loopback, keeps
everything in that folder, and is ended by its process id.
"""

from __future__ import annotations

import re
import subprocess
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from compiling import compiled

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PACKAGE: Final = "github.com/moby/buildkit/cmd/buildkitd"
# Pinned, so that a test means the same tomorrow; of the time of the buildx that setup installs.
_VERSION: Final = "v0.25.2"
_DEADLINE_S: Final = 60
_RUNNING: Final = re.compile(r'running server on (?P<place>[^"\s]+)')


def program() -> Path:
    """Return buildkitd, compiled where it is missing (about 75 s, once)."""
    return compiled("buildkitd", _PACKAGE, _VERSION)


@dataclass
class Daemon:
    """A daemon that runs.

    Attributes:
        address: where it listens.
        process: it.
    """

    address: str
    process: subprocess.Popen[str]

    def kill(self) -> None:
        """End it at once, as a machine that loses its power ends it; its steps may go on."""
        self.process.kill()
        self.process.wait(timeout=_DEADLINE_S)


@dataclass(frozen=True)
class Certificates:
    """Files of an authority, of a server on loopback, and of a client, in one folder."""

    folder: Path

    @property
    def ca(self) -> Path:
        """The authority's certificate."""
        return self.folder / "ca.pem"

    def cert(self, whose: str) -> Path:
        """Return the certificate of the `server` or the `client`."""
        return self.folder / f"{whose}.pem"

    def key(self, whose: str) -> Path:
        """Return the key of the `server` or the `client`."""
        return self.folder / f"{whose}.key"


def certificates(folder: Path) -> Certificates:
    """Return new certificates, valid for a day, signed by an authority of their own."""
    made = Certificates(folder)
    new = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    days = ("-days", "1")
    signed = ("-CA", "ca.pem", "-CAkey", "ca.key")
    leaf = ("-addext", "basicConstraints=critical,CA:FALSE")
    here = ("-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost")
    _openssl(folder, *new, *days, "-subj", "/CN=tests", "-keyout", "ca.key", "-out", "ca.pem")
    for whose in ("server", "client"):
        names = ("-keyout", f"{whose}.key", "-out", f"{whose}.pem", "-subj", f"/CN={whose}")
        _openssl(folder, *new, *days, *signed, *leaf, *here, *names)
    return made


def mirrored(registry: str) -> str:
    """Return a configuration in which a registry on loopback stands before Docker Hub."""
    return (
        f'[registry."docker.io"]\n  mirrors = ["{registry}"]\n'
        f'[registry."{registry}"]\n  http = true\n'
    )


@contextmanager
def daemon(
    folder: Path,
    *,
    tls: Certificates | None = None,
    config: str = "",
    core: int | None = None,
    flags: Sequence[str] = (),
) -> Iterator[Daemon]:
    """Run a BuildKit daemon, which keeps everything below `folder`.

    Args:
        folder: its path must be short: that of a socket has 108 bytes at most.
        tls: has it listen on a port of loopback, to clients that the authority signed.
        config: as TOML.
        core: the only processor that it and its steps may use; None for all.
        flags: more of its own.
    """
    words = ["--root", str(folder / "root"), "--oci-worker-snapshotter", "native"]
    words += ["--oci-worker-net", "host", *flags]
    if config:
        (folder / "buildkitd.toml").write_text(config, encoding="utf-8")
        words += ["--config", str(folder / "buildkitd.toml")]
    address = f"unix://{folder}/bk.sock"
    if tls:
        address = "tcp://127.0.0.1:0"
        words += ["--tlscacert", str(tls.ca), "--tlscert", str(tls.cert("server"))]
        words += ["--tlskey", str(tls.key("server"))]
    pinned = ("taskset", "--cpu-list", str(core)) if core is not None else ()
    with subprocess.Popen(
        (*pinned, str(program()), "--addr", address, *words),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            told = _wait(process)
            yield Daemon(f"tcp://{told}" if tls else address, process)
        finally:
            process.terminate()
            process.wait(timeout=_DEADLINE_S)
            _unmount(folder)


@contextmanager
def buildkitd(folder: Path) -> Iterator[str]:
    """Run a BuildKit daemon; yields its address."""
    with daemon(folder) as running:
        yield running.address


def _unmount(folder: Path) -> None:
    """Take away what a daemon that was killed left mounted below its folder."""
    lines = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    mounted = [line.split()[1] for line in lines]
    for place in sorted((p for p in mounted if p.startswith(f"{folder}/")), reverse=True):
        subprocess.run(("umount", "--lazy", place), check=False)


def _openssl(folder: Path, *words: str) -> None:
    done = subprocess.run(
        ("openssl", *words), cwd=folder, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def _wait(process: subprocess.Popen[str]) -> str:
    """Return where it says that it listens, once it does."""
    assert process.stderr is not None
    watchdog = threading.Timer(_DEADLINE_S, process.kill)
    watchdog.start()
    try:
        lines = []
        for line in process.stderr:
            lines.append(line)
            if found := _RUNNING.search(line):
                threading.Thread(target=process.stderr.read, daemon=True).start()
                return found["place"]
    finally:
        watchdog.cancel()
    pytest.fail(f"buildkitd ended before it listened: {''.join(lines)[-2000:]}")
