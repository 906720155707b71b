"""The state of the repository: sizes of modules and functions, and what must not lie about."""

from __future__ import annotations

import ast
import os
import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from sources import PACKAGE, ROOT, modules

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_MODULE_LINES: Final = 400
LONGEST_FUNCTION_LINES: Final = 60
# What is made here by tools, and is not the repository.
MADE: Final = frozenset(
    {
        *(".git", ".venv", ".nox", ".hullwright", ".cache", "node_modules", "__pycache__"),
        *(".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", "dist", "htmlcov"),
        *(".env", ".coverage", "coverage.xml"),
    }
)
# Assembled, so that this file does not hold what it looks for.
MARKERS: Final = re.compile("|".join(rf"\b{a}{b}\b" for a, b in (("TO", "DO"), ("FIX", "ME"))))
CONFLICT: Final = re.compile("^(" + "<" * 7 + "|" + ">" * 7 + ") ", re.MULTILINE)
PRIVATE_KEY: Final = re.compile(
    "-----BEGIN [A-Z ]*" + "PRIVATE KEY-----|AGE-" + "SECRET-KEY-1[A-Z0-9]+"
)
IGNORE: Final = re.compile(r"# (noqa|type: ignore)\b.*")
REASONED: Final = re.compile(r"# (noqa: [A-Z0-9, ]+  \S|type: ignore\[[\w, -]+\]  # \S)")
# The one key that is committed: it opens what is for development only.
DEVELOPMENT_KEY: Final = re.compile(r"development.*key|key.*development", re.IGNORECASE)


def files() -> Iterator[Path]:
    """Yield the files of the repository, without those that tools make."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = sorted(name for name in folders if name not in MADE)
        yield from (Path(folder) / name for name in sorted(names) if name not in MADE)


def texts() -> Iterator[tuple[str, str]]:
    """Yield each text file's path, relative to the root, with its content."""
    for path in files():
        data = path.read_bytes() if path.is_file() else b""
        if data and b"\0" not in data:
            yield f"{path.relative_to(ROOT)}", data.decode("utf-8", errors="replace")


def test_no_module_is_too_long_to_be_read_at_once() -> None:
    counts = {
        path: len(path.read_text(encoding="utf-8").splitlines())
        for path in files()
        if path.suffix == ".py"
    }
    assert len(counts) > len(list(PACKAGE.glob("*.py")))
    long = {
        f"{path.relative_to(ROOT)}": n for path, n in counts.items() if n > LONGEST_MODULE_LINES
    }
    assert not long


def test_no_function_is_too_long_to_be_understood_at_once() -> None:
    long = [
        f"{module.name}.{node.name}: {node.end_lineno - node.lineno + 1} lines"
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno >= LONGEST_FUNCTION_LINES
    ]
    assert not long


def test_every_module_says_what_it_is_in_a_whole_sentence() -> None:
    docstrings = {module.name: ast.get_docstring(module.tree) or "" for module in modules()}
    poor = [
        name
        for name, text in docstrings.items()
        if not re.match(r"\S.*[.:]$", text.partition("\n")[0])
    ]
    assert not poor


def test_each_ignore_has_its_reason_beside_it() -> None:
    ignoring = {
        f"{path}: {found[0]}"
        for path, text in texts()
        if path.endswith(".py") and not path.endswith("test_tree.py")
        for found in IGNORE.finditer(text)
        if not REASONED.match(found[0])
    }
    assert not ignoring


@pytest.mark.parametrize("pattern", [MARKERS, CONFLICT], ids=["markers", "conflicts"])
def test_nothing_is_left_over(pattern: re.Pattern[str]) -> None:
    assert not [path for path, text in texts() if pattern.search(text)]


def test_no_private_key_lies_about_but_the_one_for_development() -> None:
    holding = [path for path, text in texts() if PRIVATE_KEY.search(text)]
    assert [path for path in holding if not DEVELOPMENT_KEY.search(path)] == []


def test_scripts_can_be_started_and_nothing_else() -> None:
    scripts = {path for path in files() if path.is_file() and path.read_bytes()[:2] == b"#!"}
    executable = {path for path in files() if path.is_file() and os.access(path, os.X_OK)}
    assert not {f"{path.relative_to(ROOT)}" for path in executable - scripts}
    ours = {path for path in scripts if path.parent == ROOT / "scripts"}
    assert not {path.name for path in ours - executable}


def test_text_files_end_with_one_line_end() -> None:
    # Golden files hold what other programs wrote, as they wrote it.
    ours = ((path, text) for path, text in texts() if not path.startswith("tests/golden/"))
    odd = [path for path, text in ours if not text.endswith("\n") or text.endswith("\n\n")]
    assert not odd


def test_no_folder_of_tests_is_passed_over(pytestconfig: pytest.Config) -> None:
    patterns = pytestconfig.getini("norecursedirs")
    folders = {
        part
        for path in (ROOT / "tests").rglob("test_*.py")
        for part in path.relative_to(ROOT).parts[:-1]
    }
    assert "build" in folders
    assert not [name for name in folders if any(fnmatchcase(name, pattern) for pattern in patterns)]
