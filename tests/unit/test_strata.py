"""The strata of the package: imports point down only, and a few modules own a few powers."""

from __future__ import annotations

import ast
from typing import Final

import pytest

from sources import Import, imports, modules

FEATURE: Final = 3
# Every unit that is not named here is a feature, so that a new one is held to the rules at once.
STRATA: Final = {
    **dict.fromkeys(("errors", "findings", "images", "outcome", "pasting", "secret"), 0),
    **dict.fromkeys(("becoming", "beside", "places", "unstarted"), 0),
    **dict.fromkeys(("run", "console", "files"), 1),
    **dict.fromkeys(("config", "locked", "tools", "workspace", "recorded"), 2),
    **dict.fromkeys(("report", "plots"), FEATURE + 1),
    **dict.fromkeys(("tasks", "sessions", "dashboard", "cli", "__main__"), FEATURE + 2),
}
# Features that are built on another one.
BUILT_ON: Final = {("coldstart", "stack")}
HEAVY: Final = frozenset(
    {
        *("alembic", "httpx", "psycopg", "python_on_whales", "requests", "rich", "ruamel"),
        *("sqlalchemy", "starlette", "urllib3", "uvicorn", "yaml"),
    }
)
STARTS_PROCESSES: Final = frozenset({"subprocess", "pty", "multiprocessing", "asyncio.subprocess"})


def unit(name: str) -> str:
    """Return the part of the package that a module belongs to: the name below `hullwright`."""
    return name.split(".")[1] if name.startswith("hullwright.") else ""


def stratum(name: str) -> int:
    """Return the stratum of a module."""
    return STRATA.get(unit(name), FEATURE)


def between_units() -> list[Import]:
    """Return the imports from one unit of the package to another one."""
    return [
        found
        for found in imports()
        if found.imported.startswith("hullwright.")
        and unit(found.importer)
        and unit(found.importer) != unit(found.imported)
    ]


def test_the_package_is_seen_whole() -> None:
    units = {unit(module.name) for module in modules()}
    assert {"errors", "run", "config", "report", "tasks"} <= units
    assert len(between_units()) > 50


def test_imports_point_down_only() -> None:
    upward = [
        f"{found}" for found in between_units() if stratum(found.imported) > stratum(found.importer)
    ]
    assert not upward


def test_features_do_not_import_each_other() -> None:
    sideways = [
        f"{found}"
        for found in between_units()
        if stratum(found.importer) == stratum(found.imported) == FEATURE
        and (unit(found.importer), unit(found.imported)) not in BUILT_ON
    ]
    assert not sideways


def test_units_of_one_stratum_form_no_circle() -> None:
    after: dict[str, set[str]] = {}
    for found in between_units():
        if not found.typing:
            after.setdefault(unit(found.importer), set()).add(unit(found.imported))
    circles = [
        (one, other)
        for one, others in after.items()
        for other in others
        if one in after.get(other, ())
    ]
    assert not circles


def test_only_the_runner_starts_processes() -> None:
    starting = [
        f"{found}"
        for found in imports()
        if not found.typing
        and unit(found.importer) != "run"
        and any(f"{found.imported}.".startswith(f"{name}.") for name in STARTS_PROCESSES)
    ]
    assert not starting


def test_only_the_console_prints() -> None:
    # The command line itself speaks where there is no console yet, and where none is needed.
    printing = [
        f"{module.name}:{node.lineno}"
        for module in modules()
        if unit(module.name) not in {"console", "cli"}
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"print", "sys.stdout.write", "sys.stderr.write"}
    ]
    assert not printing


def test_the_process_itself_is_ended_by_the_top_only() -> None:
    ending = [
        f"{module.name}:{node.lineno}"
        for module in modules()
        if stratum(module.name) <= FEATURE
        for statement in module.tree.body
        if "__name__ ==" not in ast.unparse(statement)
        for node in ast.walk(statement)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"sys.exit", "exit", "os._exit"}
    ]
    assert not ending


def test_heavy_libraries_are_imported_by_the_function_that_needs_them() -> None:
    heavy = [
        f"{found}"
        for found in imports()
        if found.top
        and not found.typing
        and found.imported.partition(".")[0] in HEAVY
        and unit(found.importer) != "dashboard"
    ]
    assert not heavy


@pytest.mark.parametrize("library", ["invoke", "nox"])
def test_task_runners_are_known_at_the_top_only(library: str) -> None:
    knowing = [
        f"{found}"
        for found in imports()
        if found.imported.partition(".")[0] == library and stratum(found.importer) <= FEATURE + 1
    ]
    assert not knowing
