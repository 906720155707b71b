"""Which file holds the secrets of an environment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hullwright.errors import CheckFailedError, unknown
from hullwright.secrets import rules

if TYPE_CHECKING:
    from pathlib import Path

    from hullwright.workspace import Workspace

DEVELOPMENT: Final = "development"
FOLDER: Final = "deploy/environments"
_SUFFIX: Final = ".sops.yaml"


class MissingSecretsError(CheckFailedError):
    """An environment has no encrypted file."""


@dataclass(frozen=True, slots=True)
class Source:
    """The encrypted file of one environment.

    Attributes:
        environment: its name.
        production: whether it refuses what the development key can decrypt.
        name: the file, relative to the repository's root.
        path: the same, absolute.
    """

    environment: str
    production: bool
    name: str
    path: Path


def find(ws: Workspace, env: str | None) -> Source:
    """Return the file of an environment; the default is `development` and `[secrets] file`.

    Raises:
        UsageError: the environment is unknown.
        MissingSecretsError: there is no such file.
    """
    source = named(ws, env or DEVELOPMENT)
    if not source.path.is_file():
        raise MissingSecretsError(
            f"missing: {source.name}, the secrets of {source.environment}",
            why=[("looked for", str(source.path))],
            next_step=rules.how_to_make(ws, source.name),
        )
    return source


def available(ws: Workspace, env: str | None = None) -> bool:
    """Return whether an environment has an encrypted file; an unknown one has none."""
    name = env or DEVELOPMENT
    return name in known(ws) and named(ws, name).path.is_file()


def named(ws: Workspace, name: str) -> Source:
    """Return the file of an environment, whether it is there or not.

    Raises:
        UsageError: the environment is unknown.
    """
    if name not in known(ws):
        raise unknown("environment", name, known(ws))
    configured = ws.config.environments.get(name)
    default = ws.config.secrets.file if name == DEVELOPMENT else f"{FOLDER}/{name}{_SUFFIX}"
    file = (configured.secrets if configured else "") or default
    production = configured.production if configured else False
    return Source(name, production, file, ws.root / file)


def known(ws: Workspace) -> set[str]:
    """Return the environments: development, those of the configuration, those that have a file."""
    files = (ws.root / FOLDER).glob(f"*{_SUFFIX}")
    found = {path.name.removesuffix(_SUFFIX) for path in files}
    return {DEVELOPMENT, *ws.config.environments, *found}
