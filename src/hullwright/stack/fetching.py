"""Fetch the images that a stack needs and the local store does not hold."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from hullwright.errors import CheckFailedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hullwright.stack.selection import Selection
    from hullwright.workspace import Workspace

_LINES: Final = 6
# Compose tells of each failure by its service, and of the first again in the engine's words.
_BEFORE: Final = re.compile(r"^\s*(?:Error response from daemon: |\S+ Error )")
_PROGRESS: Final = re.compile(r"^\s*\S+\s+(?:Pulling|Pulled|Interrupted|Skipped.*)\s*$")
# `failed to do request: Head "https://HOST/v2/…": dial tcp: …: REASON`
_UNREACHED: Final = re.compile(
    r'(?:Head|Get) "?https?://(?P<host>[^/"]+)/.*?: (?P<reason>no such host|connection refused|'
    r"i/o timeout|no route to host|network is unreachable|server misbehaving|"
    r"TLS handshake timeout|Temporary failure in name resolution|context deadline exceeded)"
)


def pull(
    ws: Workspace, selection: Selection, missing: tuple[str, ...], services: tuple[str, ...]
) -> None:
    """Fetch images that the local store does not hold.

    Raises:
        CheckFailedError: one cannot be had; each is named, with the registry's own words.
    """
    if not missing:
        return
    with ws.console.step(f"pull {', '.join(missing)}"):
        answer = ws.runner.run(
            *selection.call.pull(services), cwd=ws.root, env=selection.environment, check=False
        )
    if not answer.ok:
        lines = f"{answer.stdout}{answer.stderr}".splitlines()
        raise not_to_be_had(missing, [ws.runner.redacted(line) for line in lines])


def not_to_be_had(missing: tuple[str, ...], lines: Iterable[str]) -> CheckFailedError:
    """Return the error of images that could not be fetched, by what Compose printed."""
    said = _said(lines)
    found = (match for line in said if (match := _UNREACHED.search(line)))
    unreached = {match["host"]: match["reason"] for match in found}
    why = [("registry", f"{host} cannot be reached: {why}") for host, why in unreached.items()]
    return CheckFailedError(
        f"image{'s' if len(missing) > 1 else ''} not to be had: {', '.join(missing)}",
        why=[*why, ("said", "\n".join(said[-_LINES:]))],
        next_step="invoke images   (lists where each image comes from)"
        if unreached
        else "invoke images --prepare   (lists where each image comes from)",
        cause="image-missing",
    )


def _said(lines: Iterable[str]) -> list[str]:
    """Return what tells of failures, each once."""
    told = [line for line in lines if "level=warning" not in line and not _PROGRESS.match(line)]
    return list(dict.fromkeys(text for line in told if (text := _BEFORE.sub("", line).strip())))
