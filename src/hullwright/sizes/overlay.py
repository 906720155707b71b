"""Layers one over another: what a container sees, and what lies below it unseen. Pure.

Applied as containerd does it: parents of a path are followed through symbolic links within the
image, whiteouts hide what lower layers have and nothing of their own layer, and a hard link is a
second name of the same bytes.

https://specs.opencontainers.org/image-spec/layer/#applying-changesets
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from hullwright.sizes.contents import Seen, Waste

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hullwright.sizes.contents import WasteKind
    from hullwright.tools.layers import File, LayerContent

# As the kernel: a path with more links than this is none.
_MOST_LINKS: Final = 40
# What is smaller is often the same by chance, and saves next to nothing.
_LEAST_DUPLICATE_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class Overlay:
    """An image's layers, applied.

    Attributes:
        seen: regular files that a container sees, by path; what has several names stands once.
        visible_bytes: their sum.
        waste: what later layers replaced or deleted, and duplicates; largest first.
        waste_bytes: sum of what was replaced or deleted.
        efficiency: 0 to 1, as dive defines it: for each path the smallest of its sizes over the
            layers, added up, by all of them added up.
    """

    seen: tuple[Seen, ...]
    visible_bytes: int
    waste: tuple[Waste, ...]
    waste_bytes: int
    efficiency: float


def applied(layers: Sequence[LayerContent]) -> Overlay:
    """Return what a container sees of layers, and what it does not; the first is the lowest."""
    tree, scores = _Tree(), _Scores()
    for number, layer in enumerate(layers):
        scores.begin()
        for file in layer.files:
            scores.add(file, tree)
            tree.apply(file, number)
        scores.end()
    bodies = sorted(_bodies(tree), key=lambda body: body.path)
    seen = tuple(
        Seen(body.path, body.size_bytes, body.layer, body.content) for body in bodies if body.names
    )
    unseen = [
        Waste(body.gone, body.path, body.size_bytes, body.layer, body.gone_by)
        for body in tree.bodies
        if not body.names and body.size_bytes
    ]
    waste = sorted([*unseen, *_duplicates(seen)], key=lambda each: (-each.size_bytes, each.path))
    return Overlay(
        seen,
        sum(each.size_bytes for each in seen),
        tuple(waste),
        sum(each.size_bytes for each in unseen),
        scores.efficiency,
    )


@dataclass(slots=True)
class _Body:
    """The bytes of a regular file, which may have several names."""

    path: str
    size_bytes: int
    content: str
    layer: int
    names: int = 1
    gone: WasteKind = "deleted"
    gone_by: int = -1


@dataclass(slots=True)
class _Node:
    """A name in a folder: a folder with names of its own, a link, a file, or something else."""

    layer: int
    below: dict[str, _Node] | None = None
    link: str | None = None
    body: _Body | None = None


@dataclass
class _Tree:
    root: _Node = field(default_factory=lambda: _Node(-1, {}))
    bodies: list[_Body] = field(default_factory=list)

    def apply(self, file: File, layer: int) -> None:
        folder, _, name = file.path.rpartition("/")
        if file.kind == "opaque":
            self._empty(self.at(file.path), layer)
            return
        parent = self.folder(folder, layer)
        names = parent.below
        if names is None or not name:
            return
        before = names.get(name)
        if file.kind == "whiteout":
            if before is not None and before.layer < layer:
                del names[name]
                self._drop(before, "deleted", layer)
            elif before is not None:
                self._empty(before, layer)
            return
        if file.kind == "folder" and before is not None and before.below is not None:
            before.layer = layer
            return
        node = self._made(file, layer)
        if node is None:
            return
        names[name] = node
        if before is not None:
            self._drop(before, "replaced", layer)

    def at(self, path: str) -> _Node | None:
        """Return what a path names, its parents followed through links; None for nothing."""
        folder, _, name = path.rpartition("/")
        if not name:
            return self.root
        parent = self._walk(folder, None)
        return (parent.below or {}).get(name) if parent is not None else None

    def folder(self, path: str, layer: int) -> _Node:
        """Return a folder, made where no layer has an entry for it."""
        return self._walk(path, layer) or _Node(layer, {})

    def _walk(self, path: str, layer: int | None) -> _Node | None:
        trail, left, links = [self.root], path.split("/") if path else [], 0
        left.reverse()
        while left:
            name = left.pop()
            if name in {"", "."}:
                continue
            if name == "..":
                trail = trail[:-1] or [self.root]
                continue
            names = trail[-1].below
            found = names.get(name) if names is not None else None
            if found is not None and found.link is not None and links < _MOST_LINKS:
                links += 1
                if found.link.startswith("/"):
                    trail = [self.root]
                left += reversed(found.link.split("/"))
                continue
            if (found is None or found.below is None) and (layer is None or names is None):
                return None
            if found is None or found.below is None:
                assert names is not None and layer is not None  # noqa: PT018, S101  narrowed above
                if found is not None:
                    self._drop(found, "replaced", layer)
                found = names[name] = _Node(layer, {})
            trail.append(found)
        return trail[-1]

    def _made(self, file: File, layer: int) -> _Node | None:
        match file.kind:
            case "folder":
                return _Node(layer, {})
            case "symlink":
                return _Node(layer, link=file.link)
            case "file":
                body = _Body(file.path, file.size_bytes, file.content, layer)
                self.bodies.append(body)
                return _Node(layer, body=body)
            case "hardlink":
                target = self.at(file.link)
                if target is None or target.body is None:
                    return _Node(layer)
                target.body.names += 1
                return _Node(layer, body=target.body)
        return _Node(layer)

    def _empty(self, node: _Node | None, layer: int) -> None:
        """Take what lower layers have out of a folder, at every depth."""
        if node is None or node.below is None:
            return
        for name, each in list(node.below.items()):
            if each.layer < layer:
                del node.below[name]
                self._drop(each, "deleted", layer)
            else:
                self._empty(each, layer)

    def _drop(self, node: _Node, kind: WasteKind, layer: int) -> None:
        waiting = [node]
        while waiting:
            each = waiting.pop()
            if each.below is not None:
                waiting += each.below.values()
                # What replaces a folder replaces nothing that was in it.
                kind = "deleted"
            elif each.body is not None:
                each.body.names -= 1
                each.body.gone, each.body.gone_by = kind, layer


@dataclass
class _Scores:
    """The sizes of each path over the layers, as dive counts them.

    It looks at the leaves of each layer's own tree; the whiteout of a folder counts as much as
    stood below it, that of a file as nothing.
    https://github.com/wagoodman/dive/blob/v0.13.1/dive/filetree/efficiency.go
    """

    least: dict[str, int] = field(default_factory=dict)
    total: int = 0
    _leaves: dict[str, int] = field(default_factory=dict)
    _folders: set[str] = field(default_factory=set)

    def begin(self) -> None:
        self._leaves, self._folders = {}, set()

    def add(self, file: File, tree: _Tree) -> None:
        if file.kind == "opaque":
            return
        size = file.size_bytes
        if file.kind == "whiteout":
            node = tree.at(file.path)
            size = sum(body.size_bytes for body in _below(node)) if _is_folder(node) else 0
        folder = file.path.rpartition("/")[0]
        while folder and folder not in self._folders:
            self._folders.add(folder)
            folder = folder.rpartition("/")[0]
        self._leaves[file.path] = size

    def end(self) -> None:
        for path, size in self._leaves.items():
            if path not in self._folders:
                self.total += size
                self.least[path] = min(self.least.get(path, size), size)

    @property
    def efficiency(self) -> float:
        return sum(self.least.values()) / self.total if self.total else 1.0


def _is_folder(node: _Node | None) -> bool:
    return node is not None and node.below is not None


def _below(node: _Node | None) -> Iterator[_Body]:
    """Yield the files below a node, one with several names once for each."""
    waiting = [node] if node is not None else []
    while waiting:
        each = waiting.pop()
        if each.below is not None:
            waiting += each.below.values()
        elif each.body is not None:
            yield each.body


def _bodies(tree: _Tree) -> list[_Body]:
    return [body for body in tree.bodies if body.names]


def _duplicates(seen: Sequence[Seen]) -> Iterator[Waste]:
    first: dict[str, Seen] = {}
    for each in sorted(seen, key=lambda file: (file.layer, file.path)):
        if each.size_bytes < _LEAST_DUPLICATE_BYTES:
            continue
        same = first.setdefault(each.content, each)
        if same is not each:
            note = f"the same as /{same.path}"
            yield Waste("duplicate", each.path, each.size_bytes, each.layer, note=note)
