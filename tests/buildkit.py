"""A BuildKit daemon of its own for tests of builders that are not the engine's.

It is compiled once from its Go module into the folder of built tools, and kept there: no package
brings it. It listens on a socket below the test's folder, keeps everything there, and is ended by
its process id.
"""

from __future__ import annotations

import subprocess
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import pytest

from compiling import compiled

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PACKAGE: Final = "github.com/moby/buildkit/cmd/buildkitd"
# Pinned, so that a test means the same tomorrow; of the time of the buildx that setup installs.
_VERSION: Final = "v0.25.2"
_DEADLINE_S: Final = 60


def program() -> Path:
    """Return buildkitd, compiled where it is missing (about 75 s, once)."""
    return compiled("buildkitd", _PACKAGE, _VERSION)


@contextmanager
def buildkitd(folder: Path) -> Iterator[str]:
    """Run a BuildKit daemon; yields its address."""
    # Paths of sockets are short: 108 bytes.
    address = f"unix://{folder}/bk.sock"
    with subprocess.Popen(
        (
            *(str(program()), "--addr", address, "--root", str(folder / "root")),
            *("--oci-worker-snapshotter", "native", "--oci-worker-net", "host"),
        ),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            _wait(process)
            yield address
        finally:
            process.terminate()


def _wait(process: subprocess.Popen[str]) -> None:
    """Return once it says that it listens."""
    assert process.stderr is not None
    watchdog = threading.Timer(_DEADLINE_S, process.kill)
    watchdog.start()
    try:
        lines = []
        for line in process.stderr:
            lines.append(line)
            if "running server" in line:
                threading.Thread(target=process.stderr.read, daemon=True).start()
                return
    finally:
        watchdog.cancel()
    pytest.fail(f"buildkitd ended before it listened: {''.join(lines)[-2000:]}")
