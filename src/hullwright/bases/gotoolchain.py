"""Go toolchains: the module proxy carries each as a module, checked by the checksum database."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hullwright.errors import UnavailableError
from hullwright.run import CommandError

if TYPE_CHECKING:
    from hullwright.workspace import Workspace


def fetch_toolchain(ws: Workspace, version: str, arch: str) -> Path:
    """Return the folder of a Go toolchain, downloaded through this machine's module proxy.

    Raises:
        UnavailableError: Go is missing, or its proxy does not give the module.
    """
    name = f"golang.org/toolchain@v0.0.1-go{version}.linux-{arch}"
    # Outside of any module, and by the Go that is here: it is only to download.
    environment = {"GOWORK": "off", "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=mod"}
    try:
        ws.runner.run("go", "mod", "download", name, cwd=Path("/"), env=environment)
    except CommandError as error:
        raise UnavailableError(
            f"Go {version} for linux/{arch} could not be downloaded",
            why=[("module", name), ("go", "\n".join(error.result.tail(4)))],
            next_step="go env GOPROXY   names the proxy that has to carry it",
        ) from error
    return Path(ws.runner.read("go", "env", "GOMODCACHE").stdout.strip()) / name
