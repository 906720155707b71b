"""Whether the engine's image registry can be reached, which decides if stand-ins may be built.

Only a registry that cannot be reached at all is a reason for stand-ins. One that answers and
refuses is an error: an image from somewhere else would then hide the real problem.
"""

from __future__ import annotations

import json
import os
import ssl
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from hullwright.console import Console
from hullwright.errors import ExitCode, HullwrightError, UnavailableError
from hullwright.run import Runner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_TIMEOUT_S: Final = 5.0


@dataclass(frozen=True)
class Answer:
    """What a registry said to a first request.

    Attributes:
        status: HTTP status; None if nothing answered.
        challenge: whether it named a way to authenticate, which anonymous pulls follow too.
        reason: why there is no status.
    """

    status: int | None
    challenge: bool = False
    reason: str = ""


def registries(info: dict[str, Any]) -> list[str]:
    """Return the addresses that the engine pulls from: its mirrors, then its default registry.

    Args:
        info: what `docker info` gives.
    """
    mirrors = (info.get("RegistryConfig") or {}).get("Mirrors") or []
    given = [*mirrors, info.get("IndexServerAddress") or ""]
    roots = (urlsplit(address) for address in given)
    return [f"{root.scheme}://{root.netloc}" for root in roots if root.netloc]


def reachable(addresses: Iterable[str], ask: Callable[[str], Answer]) -> bool:
    """Return whether one of the registries serves; mirrors come before the default one.

    Raises:
        UnavailableError: one answers, and refuses (429, 403, 401 without a way to authenticate,
            5xx) or cannot prove who it is.
    """
    refused = None
    for address in addresses:
        answer = ask(address)
        if answer.status is None:
            continue
        allowed = answer.status == HTTPStatus.UNAUTHORIZED and answer.challenge
        if answer.status < HTTPStatus.BAD_REQUEST or allowed:
            return True
        refused = refused or (address, answer)
    if refused is not None:
        raise _refused(*refused)
    return False


def ask(address: str) -> Answer:
    """Return what a registry says to the first request of the distribution protocol.

    Source: https://github.com/opencontainers/distribution-spec/blob/main/spec.md#determining-support
    """
    try:
        # The engine's own configuration names the address.
        with urllib.request.urlopen(f"{address}/v2/", timeout=_TIMEOUT_S) as given:  # noqa: S310  http is its scheme
            return Answer(int(given.status))
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, challenge="WWW-Authenticate" in error.headers)
    except (urllib.error.URLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, ssl.SSLError):
            return Answer(HTTPStatus.NETWORK_AUTHENTICATION_REQUIRED, reason=f"{reason}")
        return Answer(None, reason=f"{reason}")


def _refused(address: str, answer: Answer) -> UnavailableError:
    host = urlsplit(address).netloc
    if answer.reason:
        return UnavailableError(
            f"the certificate of {host} is not trusted",
            why=answer.reason,
            next_step="let SSL_CERT_FILE name the authority of this site",
        )
    steps = {
        HTTPStatus.TOO_MANY_REQUESTS: "wait, or log in: docker login",
        HTTPStatus.UNAUTHORIZED: f"log in: docker login {host}",
        HTTPStatus.FORBIDDEN: f"log in: docker login {host}",
    }
    return UnavailableError(
        f"the image registry {host} answers with {answer.status}",
        why="a registry that refuses is no reason to build stand-ins",
        next_step=steps.get(HTTPStatus(answer.status or 0), "try again later"),
    )


def main() -> int:
    """Print `registry` or `none`, and return the exit code."""
    console = Console(os.environ)
    try:
        told = Runner(os.environ).read("docker", "info", "--format", "{{json .}}")
        found = reachable(registries(json.loads(told.stdout)), ask)
    except HullwrightError as error:
        console.error(str(error))
        return int(error.exit_code)
    console.result("registry" if found else "none")
    return int(ExitCode.DONE)


if __name__ == "__main__":
    sys.exit(main())
