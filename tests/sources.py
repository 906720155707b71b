"""The package's modules as syntax trees, for tests over its structure."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parent.parent
PACKAGE: Final = ROOT / "src" / "hullwright"


@dataclass(frozen=True)
class Import:
    """One name that a module imports.

    Attributes:
        importer: dotted name of the module that imports.
        imported: dotted name of the module, or of what is taken out of it.
        line: where it stands.
        top: whether it runs when the module is imported.
        typing: whether only type checkers see it.
    """

    importer: str
    imported: str
    line: int
    top: bool
    typing: bool

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.imported}"


@dataclass(frozen=True)
class Module:
    """One file of the package."""

    name: str
    path: Path
    tree: ast.Module

    def imports(self) -> Iterator[Import]:
        """Yield all imports, those inside functions and for type checkers included."""
        yield from self._imports(self.tree, top=True, typing=False)

    def _imports(self, node: ast.AST, *, top: bool, typing: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            for imported in self._imported(child):
                yield Import(self.name, imported, child.lineno, top, typing)  # type: ignore[attr-defined]  # statements have a line
            inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            guarded = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test)
            yield from self._imports(child, top=top and not inside, typing=typing or guarded)

    def _imported(self, node: ast.AST) -> list[str]:
        if isinstance(node, ast.Import):
            return [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom):
            package = self.name if self.path.name == "__init__.py" else self.name.rpartition(".")[0]
            parts = package.split(".")
            parents = parts[: len(parts) - node.level + 1] if node.level else []
            base = ".".join([*parents, *([node.module] if node.module else [])])
            return [f"{base}.{alias.name}" for alias in node.names]
        return []


@cache
def modules() -> tuple[Module, ...]:
    """Return all modules of the package."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found.append(Module(name, path, ast.parse(path.read_text(encoding="utf-8"))))
    return tuple(found)


def imports() -> list[Import]:
    """Return all imports of all modules."""
    return [found for module in modules() for found in module.imports()]
