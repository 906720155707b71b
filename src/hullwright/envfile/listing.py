"""Which variables a repository asks for, and where each is set; never a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullwright.envfile.make import EXAMPLE, FILE
from hullwright.tools import dotenv, sopsfile
from hullwright.tools.placeholders import is_placeholder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hullwright.workspace import Workspace

ENVIRONMENT = "environment"


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable.

    Attributes:
        name: its name.
        required: whether the example has a placeholder for it (any other value is a default), or
            a compose file asks for it without a default.
        documented: whether the example has it at all.
        places: where it is set, the one that wins first.
    """

    name: str
    required: bool
    documented: bool
    places: tuple[str, ...]

    @property
    def missing(self) -> bool:
        """Whether it is required and set nowhere."""
        return self.required and not self.places


@dataclass(frozen=True, slots=True)
class Listing:
    """All variables that are documented, asked for or set; whether `.env` and its example exist."""

    variables: tuple[Variable, ...]
    has_file: bool
    has_example: bool = True

    @property
    def missing(self) -> tuple[str, ...]:
        """The names of the required variables that are set nowhere."""
        return tuple(variable.name for variable in self.variables if variable.missing)


def listing(ws: Workspace, asked: Mapping[str, bool] | None = None) -> Listing:
    """Return the variables of `.env.example` and `.env`, and where each is set.

    Args:
        ws: the repository.
        asked: variables of compose files, and whether nothing starts without each.

    The order of places is the one in which they win: the environment of this run, the encrypted
    file (its names stand in the clear, nothing is decrypted), `.env`.
    """
    example, present = _entries(ws, EXAMPLE), _entries(ws, FILE)
    asked = asked or {}
    required = {name for name, must in asked.items() if must} | {
        entry.name
        for entry in example
        if not entry.commented and is_placeholder(entry.name, entry.value)
    }
    documented = {entry.name for entry in example}
    has = {entry.name for entry in present if not entry.commented and entry.value}
    encrypted = ws.config.secrets.file
    sealed = _sealed(ws, encrypted)
    names = dict.fromkeys(entry.name for entry in (*example, *present) if _listed(entry, example))
    names |= dict.fromkeys((*sorted(sealed), *asked))
    variables = []
    for name in names:
        set_in = (
            (ENVIRONMENT, bool(ws.environ.get(name))),
            (encrypted, name in sealed),
            (FILE, name in has),
        )
        places = tuple(place for place, is_set in set_in if is_set)
        variables.append(Variable(name, name in required, name in documented, places))
    return Listing(tuple(variables), (ws.root / FILE).exists(), (ws.root / EXAMPLE).is_file())


def _listed(entry: dotenv.Entry, example: Iterable[dotenv.Entry]) -> bool:
    return not entry.commented or entry in example


def _entries(ws: Workspace, name: str) -> list[dotenv.Entry]:
    path = ws.root / name
    if not path.is_file():
        return []
    return list(dotenv.entries(path.read_text(encoding="utf-8", errors="replace")))


def _sealed(ws: Workspace, name: str) -> set[str]:
    path = ws.root / name
    if not path.is_file():
        return set()
    text = path.read_text(encoding="utf-8", errors="replace")
    kind = sopsfile.kind_by_name(path.name) or sopsfile.kind_by_content(text)
    return {dotenv.variable_name(key) for key in sopsfile.names(text, kind)}
