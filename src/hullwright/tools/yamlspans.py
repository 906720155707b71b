"""YAML with the place of every node in its text, so that one of them can be changed alone.

A reader and writer of whole documents would lay out the rest of a person's file anew.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Node:
    """One node as it is written.

    Attributes:
        start: offset of its first character; of an alias, that of the alias.
        end: offset after its last character, blank lines left out.
        column: column of its first character.
        value: text of a scalar; empty for others.
        items: nodes of a sequence.
        entries: keys and values of a mapping, in their order.
        style: of a scalar: empty for plain, else `'`, `"`, `|` or `>`; of others `[` or nothing.
        alias: whether it only stands for a node that is written elsewhere.
    """

    start: int
    end: int
    column: int
    value: str = ""
    items: tuple[Node, ...] = ()
    entries: tuple[tuple[Node, Node], ...] = ()
    style: str = ""
    alias: bool = False
    kind: str = "scalar"

    def get(self, key: str) -> Node | None:
        """Return the value of a key of a mapping, or None."""
        return next((value for name, value in self.entries if name.value == key), None)

    def key(self, name: str) -> Node | None:
        """Return the key itself, for its place."""
        return next((key for key, _ in self.entries if key.value == name), None)

    def texts(self) -> tuple[str, ...]:
        """Return the texts of a scalar (parts between commas) or of a sequence of scalars."""
        if self.kind == "sequence":
            return tuple(item.value.strip() for item in self.items if item.kind == "scalar")
        return tuple(part.strip() for part in self.value.split(",") if part.strip())


@dataclass
class _Builder:
    text: str
    events: Iterator[Any]
    anchors: dict[str, Node] = field(default_factory=dict)

    def node(self, event: Any) -> Node | None:
        """Return the node that begins with an event; None where nothing does."""
        kind = type(event).__name__
        start, column = event.start_mark.index, event.start_mark.column
        if kind == "AliasEvent":
            meant = self.anchors[event.anchor]
            return Node(
                start,
                event.end_mark.index,
                column,
                meant.value,
                meant.items,
                meant.entries,
                meant.style,
                alias=True,
                kind=meant.kind,
            )
        made: Node | None = None
        if kind == "ScalarEvent":
            end = self._trimmed(event.end_mark.index)
            made = Node(start, end, column, event.value, style=event.style or "")
        elif kind == "SequenceStartEvent":
            items, end = self._until("SequenceEndEvent")
            style = "[" if event.flow_style else ""
            made = Node(start, end, column, items=tuple(items), style=style, kind="sequence")
        elif kind == "MappingStartEvent":
            parts, end = self._until("MappingEndEvent")
            pairs = tuple(zip(parts[::2], parts[1::2], strict=True))
            style = "[" if event.flow_style else ""
            made = Node(start, end, column, entries=pairs, style=style, kind="mapping")
        if made and getattr(event, "anchor", None):
            self.anchors[event.anchor] = made
        return made

    def _until(self, last: str) -> tuple[list[Node], int]:
        found: list[Node] = []
        for event in self.events:
            if type(event).__name__ == last:
                return found, self._trimmed(event.end_mark.index)
            node = self.node(event)
            if node:
                found.append(node)
        raise ValueError("the document ends too early")

    def _trimmed(self, end: int) -> int:
        return len(self.text[:end].rstrip())


def parse(text: str) -> Node | None:
    """Return the first document of a YAML text, or None where it is empty.

    Raises:
        ValueError: it is not YAML; the message has the line.
    """
    # Costs 100 ms, so it is only loaded where something depends on it.
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        events = iter(YAML(typ="safe", pure=True).parse(text))
        builder = _Builder(text, events)
        for event in events:
            if type(event).__name__ not in {"StreamStartEvent", "DocumentStartEvent"}:
                return builder.node(event)
    except YAMLError as error:
        mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "not a text file"
        raise ValueError(where) from error
    return None
