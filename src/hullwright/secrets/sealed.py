"""What an encrypted file shows without any key: names, recipients, what it left in the clear."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from hullwright.errors import CheckFailedError
from hullwright.secrets.flatten import public_names
from hullwright.secrets.read import as_tree, exact, metadata
from hullwright.secrets.source import known, named
from hullwright.tools import sopsfile
from hullwright.tools.dotenv import variable_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from hullwright.secrets.source import Source
    from hullwright.tools.sopsfile import Kind
    from hullwright.workspace import Workspace

_ENCRYPTED: Final = "ENC["
# Kinds of keys that are told one by one, as the metadata and the rules both have them.
_ONE_BY_ONE: Final = ("PGP ", "AWS KMS ", "GCP KMS ")

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Sealed:
    """An encrypted file as it lies there.

    Attributes:
        source: which file.
        kind: what it is: yaml, json, dotenv, ini or binary.
        recipients: whom it is encrypted to, where they are told one by one.
        others: key services that it is encrypted to as well.
        leaves: the path of each value.
        clear: names of values that are not encrypted, and should be.
        left: names of values that the file's own rules leave in the clear.
    """

    source: Source
    kind: Kind
    recipients: tuple[str, ...]
    others: tuple[str, ...]
    leaves: tuple[Path, ...]
    clear: tuple[str, ...] = ()
    left: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its values as they stand in it, nested ones with dots."""
        return tuple(dotted(path) for path in self.leaves)


def look(source: Source) -> Sealed:
    """Return what a file shows.

    Raises:
        CheckFailedError: it cannot be read as what it should be, or sops did not encrypt it.
    """
    own = metadata(source)
    kind = kind_of(source)
    document = _document(source, kind)
    values = {name: value for name, value in document.items() if name != "sops"}
    leaves = list(_leaves(values, ()))
    allowed = _in_clear(document["sops"])
    open_ = [path for path, value in leaves if _is_open(value)]
    named = [key for label in _ONE_BY_ONE for key in own.others if key.startswith(label)]
    return Sealed(
        source,
        kind,
        (*own.recipients, *(_without_label(key) for key in named)),
        tuple(key for key in own.others if key not in named),
        tuple(path for path, _ in leaves),
        tuple(dotted(path) for path in open_ if not allowed(path)),
        tuple(dotted(path) for path in open_ if allowed(path)),
    )


def secret_variables(ws: Workspace) -> set[str]:
    """Return the variables that the files of all environments give; public ones are none of them.

    No key is needed for it. A file that cannot be read gives none.
    """
    found: set[str] = set()
    for source in (named(ws, env) for env in known(ws)):
        if source.path.is_file():
            with suppress(CheckFailedError):
                found.update(_variable(path) for path in look(source).leaves)
    return found - public_names(ws.config.secrets)


def kind_of(source: Source) -> Kind:
    """Return what a file is, also before it is there."""
    return source.kind if source.path.is_file() else sopsfile.kind_by_name(source.name) or "yaml"


def content(ws: Workspace, source: Source) -> object:
    """Return what a file holds, decrypted, to be compared with what it holds later.

    Raises:
        CheckFailedError: it is not decryptable, or was tampered with.
    """
    return exact(ws, source) if source.kind == "binary" else as_tree(ws, source)[0]


def dotted(path: Path) -> str:
    """Return a path as people write it: `db.password`."""
    return ".".join(str(part) for part in path)


def _variable(path: Path) -> str:
    words = tuple(str(part) for part in path)
    return variable_name(words[1:] if len(words) > 1 and words[0] == sopsfile.INI_TOP else words)


def _document(source: Source, kind: Kind) -> dict[str, Any]:
    text = source.text
    if kind != "yaml":
        parsed: Any = sopsfile.parse(text, kind)
        return dict(parsed)
    from ruamel.yaml import YAML

    return dict(YAML(typ="safe", pure=True).load(text))


def _leaves(value: object, path: Path) -> Iterator[tuple[Path, object]]:
    match value:
        case dict():
            for key, inner in value.items():
                yield from _leaves(inner, (*path, str(key)))
        case list():
            for number, inner in enumerate(value):
                yield from _leaves(inner, (*path, number))
        case _:
            yield path, value


def _is_open(value: object) -> bool:
    # Sops leaves empty values as they are: there is nothing in them.
    return value not in {None, ""} and not str(value).startswith(_ENCRYPTED)


def _in_clear(own: Mapping[str, Any]) -> Callable[[Path], bool]:
    """Return what tells whether the file's own rules leave a value in the clear."""
    for key, holds, left in (
        ("encrypted_regex", re.search, False),
        ("unencrypted_regex", re.search, True),
        ("encrypted_suffix", _ends, False),
        ("unencrypted_suffix", _ends, True),
    ):
        if own.get(key):
            return partial(_is_left, str(own[key]), holds, left)
    return lambda _: False


def _is_left(rule: str, holds: Callable[[str, str], object], left: bool, path: Path) -> bool:  # noqa: FBT001  bound once, just above
    return any(holds(rule, part) for part in path if isinstance(part, str)) is left


def _ends(rule: str, part: str) -> bool:
    return part.endswith(rule)


def _without_label(key: str) -> str:
    label = next(label for label in _ONE_BY_ONE if key.startswith(label))
    return key.removeprefix(label)
