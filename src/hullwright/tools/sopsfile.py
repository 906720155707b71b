"""Files of SOPS as they lie there: of what kind they are, and what they say in the clear.

Nothing here decrypts. The kind goes by the name as SOPS itself decides it, and by the content only
where the name says nothing:
https://github.com/getsops/sops/blob/main/cmd/sops/formats/formats.go
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

Kind = Literal["yaml", "json", "dotenv", "ini", "binary"]
_BY_NAME: Final[dict[str, Kind]] = {
    ".yaml": "yaml",
    ".yml": "yaml",
    ".json": "json",
    ".env": "dotenv",
    ".ini": "ini",
}
_BY_CONTENT: Final[dict[Kind, re.Pattern[str]]] = {
    "dotenv": re.compile(r"^sops_(?:mac|version)=", re.MULTILINE),
    "ini": re.compile(r"^\[sops\]", re.MULTILINE),
    "yaml": re.compile(r"^sops:", re.MULTILINE),
}
# The section in which an INI file of SOPS keeps what stands before every section.
INI_TOP: Final = "DEFAULT"
_SECTION: Final = re.compile(r"\[(?P<name>[^\]]+)\]")
_DOTENV_METADATA: Final = "sops_"
_STEP: Final = re.compile(r"__(?=list_|map_)")
_KEY_LINE: Final = re.compile(
    r"""(?P<indent>[ ]*)(?P<quote>["']?)(?P<key>[^\s:#"'-][^:"']*)(?P=quote):"""
    r"(?:[ ]+(?P<value>.+))?"
)
_ITEM: Final = re.compile(r"(?P<indent>[ ]*)-[ ]+(?P<rest>.*)")
_SEPARATOR: Final = re.compile(r"^---(?:\s|$)", re.MULTILINE)


def kind_by_name(name: str) -> Kind | None:
    """Return the kind that SOPS takes a file for by its name, or None where that says nothing."""
    found = (kind for end, kind in _BY_NAME.items() if name.endswith(end))
    return next(found, None)


def kind_by_content(text: str) -> Kind:
    """Return the kind of a file whose name says nothing; `binary` is what SOPS would assume."""
    if text.lstrip("\ufeff \t\r\n").startswith("{"):
        try:
            document = json.loads(text)
        except ValueError:
            return "binary"
        return "binary" if document.keys() == {"data", "sops"} else "json"
    found = (kind for kind, pattern in _BY_CONTENT.items() if pattern.search(text))
    return next(found, "binary")


def has_several_documents(text: str) -> bool:
    """Return whether YAML text holds more than one document; the first may have a `---` too."""
    for match in _SEPARATOR.finditer(text):
        before = text[: match.start()].splitlines()
        if any(line.strip() and not line.startswith(("#", "%")) for line in before):
            return True
    return False


def parse(text: str, kind: Kind) -> object:
    """Return the tree of a file that is not YAML, its metadata under `sops` as in YAML.

    Raises:
        ValueError: it is JSON, or a binary file (which SOPS keeps as JSON), that cannot be read.
    """
    if kind in {"json", "binary"}:
        return json.loads(text)
    tree: dict[str, Any] = {}
    own: dict[str, str] = {}
    for path, value in _assignments(text, kind):
        if kind == "dotenv" and path[0].startswith(_DOTENV_METADATA):
            own[path[0].removeprefix(_DOTENV_METADATA)] = value
        elif path[0] == "sops":
            own[path[-1]] = value
        else:
            tree[path[0]] = value if len(path) == 1 else {**tree.get(path[0], {}), path[1]: value}
    return {**tree, "sops": _unflattened(own)} if own else tree


def names(text: str, kind: Kind) -> list[tuple[str, ...]]:
    """Return the path of each value of a file; nothing is decrypted.

    What cannot be read has none.
    """
    if kind == "yaml":
        return _yaml_names(text)
    if kind == "binary":
        return []
    try:
        tree = parse(text, kind)
    except ValueError:
        return []
    top = tree.items() if isinstance(tree, dict) else ()
    return [path for name, value in top if name != "sops" for path in _paths(value, (name,))]


def _paths(value: object, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    match value:
        case dict():
            for key, inner in value.items():
                yield from _paths(inner, (*path, str(key)))
        case list():
            yield from (leaf for i, v in enumerate(value) for leaf in _paths(v, (*path, str(i))))
        case _:
            yield path


@dataclass(frozen=True, slots=True)
class _Level:
    """A key, or the number of a list's item, that stands above the lines further to the right."""

    indent: int
    key: str
    is_item: bool = False


def _yaml_names(text: str) -> list[tuple[str, ...]]:
    """Return the path of each value of YAML as sops writes it.

    It goes by indentation, which sops keeps regular, because a YAML reader takes 100 ms to start.
    """
    found: list[tuple[str, ...]] = []
    above: list[_Level] = []
    for line in text.splitlines():
        rest, value = line, ""
        while item := _ITEM.fullmatch(rest):
            _enter_item(above, len(item["indent"]))
            value = item["rest"]
            rest = f"{item['indent']}  {value}"
        key = _KEY_LINE.fullmatch(rest)
        if key:
            value = key["value"] or ""
            while above and above[-1].indent >= len(key["indent"]):
                above.pop()
            above.append(_Level(len(key["indent"]), key["key"]))
        if value and above[0].key != "sops":
            found.append(tuple(level.key for level in above))
    return found


def _enter_item(above: list[_Level], indent: int) -> None:
    number = 0
    # An item may stand as far to the left as the key of its list.
    while above and (above[-1].indent, above[-1].is_item) >= (indent, True):
        last = above.pop()
        number = int(last.key) + 1 if last.indent == indent else 0
    above.append(_Level(indent, str(number), is_item=True))


def _assignments(text: str, kind: Kind) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield each `name = value` line with its section, which is none at the top."""
    section = ""
    for line in text.lstrip("\ufeff").splitlines():
        found = _SECTION.fullmatch(line.strip()) if kind == "ini" else None
        if found:
            section = found["name"]
        elif "=" in line and not line.lstrip().startswith(("#", ";")):
            name, _, value = line.partition("=")
            inside = section not in {"", INI_TOP}
            yield (section, name.strip()) if inside else (name.strip(),), value.strip()


def _unflattened(flat: dict[str, str]) -> Any:
    """Return metadata as a tree: `age__list_0__map_recipient` is how flat files have it."""
    root: dict[str, Any] = {}
    for name, value in flat.items():
        *above, last = _STEP.split(name)
        node = root
        for step in above:
            inner = node.setdefault(step, {})
            # A name that is a value and a map at once was not written by SOPS.
            node = inner if isinstance(inner, dict) else {}
        node[last] = value
    return _tidied(root)


def _tidied(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if node and all(step.startswith("list_") for step in node):
        return [_tidied(inner) for inner in node.values()]
    return {step.removeprefix("map_"): _tidied(inner) for step, inner in node.items()}
