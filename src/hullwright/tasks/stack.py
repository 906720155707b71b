"""Tasks of stacks: start, look, enter, stop, and the cold start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullwright.tasks.define import FORMATS, task

if TYPE_CHECKING:
    from hullwright.tasks.session import Session

_STACK = "the stack of the configuration; default: default"
_ENV = "the environment whose secrets are handed over; default development"
_SECRETS = "where values come from: sops, file (.env) or none; default sops where that file exists"


@task(
    lists=("service", "profile"),
    operands="service",
    flags={
        "stack": _STACK,
        "service": "only these compose services and what they depend on",
        "profile": "compose profiles to switch on",
        "env": _ENV,
        "secrets": _SECRETS,
        "dev": "add docker-compose.dev.yml: sources mounted, reload on change",
        "timeout": "longest wait, such as 2m",
        "format": FORMATS,
    },
)
def up(
    session: Session,
    stack: str = "default",
    service: list[str] | None = None,
    profile: list[str] | None = None,
    env: str | None = None,
    secrets: str | None = None,
    dev: bool = False,
    timeout: str | None = None,
    format: str = "text",  # noqa: A002
) -> None:
    """Start a stack from exactly what was built, wait until it is healthy, and explain if not."""
