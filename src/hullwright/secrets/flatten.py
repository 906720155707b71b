"""From a tree of values to variables of a process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullwright.errors import CheckFailedError
from hullwright.tools.dotenv import NAME, variable_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


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
    for path, value in _leaves(tree, ()):
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
