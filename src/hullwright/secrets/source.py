"""Which file holds the secrets of an environment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hullwright.errors import CheckFailedError, unknown
from hullwright.secrets import rules
from hullwright.tools.sopsfile import kind_by_content, kind_by_name

if TYPE_CHECKING:
    from pathlib import Path

    from hullwright.tools.sopsfile import Kind
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

    @property
    def kind(self) -> Kind:
        """What SOPS takes the file for by its name; by its content where that says nothing."""
        return kind_by_name(self.path.name) or kind_by_content(self.text)

    @property
    def text(self) -> str:
        """The file as it lies there, encrypted.

        Raises:
            CheckFailedError: it cannot be read.
        """
        try:
            return self.path.read_bytes().decode("utf-8", errors="replace")
        except OSError as error:
            raise CheckFailedError(
                f"{self.name} cannot be read",
                why=error.strerror or str(error),
                next_step=f"ls -l {self.name}   (it has to be yours to read)",
            ) from error


def find(ws: Workspace, env: str | None, file: str = "") -> Source:
    """Return the encrypted file that is meant.

    Args:
        ws: the repository.
        env: the environment; default `development`, whose file is `[secrets] file`.
        file: another file than the environment's, relative to the root. Where it is that of an
            environment and none is named, that one's rules hold.

    Raises:
        UsageError: the environment is unknown.
        MissingSecretsError: there is no such file.
    """
    source = _other(ws, env, file) if file else named(ws, env or DEVELOPMENT)
    if not source.path.is_file():
        flag = "" if source.environment == DEVELOPMENT else f" --env {source.environment}"
        raise MissingSecretsError(
            f"missing: {source.name}, the secrets of {source.environment}",
            why=[("looked for", str(source.path))],
            next_step="" if file else rules.how_to_make(ws, source.name, flag),
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


def _other(ws: Workspace, env: str | None, file: str) -> Source:
    path = (ws.root / file).resolve()
    sources = [named(ws, name) for name in sorted({env} if env else known(ws))]
    same = [source for source in sources if source.path.resolve() == path]
    of = (same or [named(ws, env or DEVELOPMENT)])[0]
    inside = path.is_relative_to(ws.root.resolve())
    name = path.relative_to(ws.root.resolve()).as_posix() if inside else file
    return Source(of.environment, of.production, name, path)


def known(ws: Workspace) -> set[str]:
    """Return the environments: development, those of the configuration, those that have a file."""
    files = (ws.root / FOLDER).glob(f"*{_SUFFIX}")
    found = {path.name.removesuffix(_SUFFIX) for path in files}
    return {DEVELOPMENT, *ws.config.environments, *found}
