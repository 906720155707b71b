"""From a tree of values to variables of a process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullwright.errors import CheckFailedError
from hullwright.tools.dotenv import NAME, variable_name
from hullwright.tools.sopsfile import INI_TOP

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hullwright.config.models import Secrets


def flatten(tree: Mapping[str, object], file: str) -> dict[str, str]:
    """Return variables by name, as `dotenv.variable_name` gives it.

    Args:
        tree: values as JSON gives them; numbers as texts.
        file: the file's name, for messages.

    Raises:
        CheckFailedError: two keys get one name, or a key or value cannot be a variable. No
            message shows a value.
    """
    found: dict[str, str] = {}
    came_from: dict[str, str] = {}
    for path, value in leaves(tree):
        key = ".".join(path)
        name = variable_name(path)
        if not NAME.fullmatch(name):
            raise _refused(file, f'the key "{key}" gives no name of a variable')
        if name in found:
            raise _refused(file, f'"{came_from[name]}" and "{key}" both become {name}')
        if "\0" in value:
            raise _refused(file, f'the value of "{key}" contains NUL, which no variable can hold')
        found[name], came_from[name] = value, key
    return found


def leaves(tree: Mapping[str, object]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield each value of a tree with its path, both as texts."""
    return _leaves(tree, ())


def without_ini_top(tree: Mapping[str, object], file: str) -> dict[str, object]:
    """Return the tree of an INI file with what stands before its sections at the top.

    Raises:
        CheckFailedError: a key there is called as a section is.
    """
    top = tree.get(INI_TOP)
    sections = {name: value for name, value in tree.items() if name != INI_TOP}
    if not isinstance(top, dict):
        return sections
    for name in top.keys() & sections.keys():
        raise _refused(file, f'"{name}" is a key and a section')
    return {**top, **sections}


def public_names(configured: Secrets) -> frozenset[str]:
    """Return the names of variables whose values are no secrets.

    `[secrets] public` may have them as variables, `DB_PORT`, or as keys, `db.port`.
    """
    keys = (variable_name(tuple(name.split("."))) for name in configured.public)
    return frozenset((*configured.public, *keys))


def _leaves(value: object, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    match value:
        case dict():
            for key, inner in value.items():
                yield from _leaves(inner, (*path, str(key)))
        case bool():
            yield path, "true" if value else "false"
        case None:
            yield path, ""
        case list():
            # A list has no one form that every reader takes, so its values get numbers.
            yield from (leaf for i, v in enumerate(value) for leaf in _leaves(v, (*path, str(i))))
        case _:
            yield path, str(value)


def _refused(file: str, what: str) -> CheckFailedError:
    return CheckFailedError(f"{file}: {what}", next_step=f"sops edit {file}")
