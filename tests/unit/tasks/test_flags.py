"""Every flag that a task takes is read: one that is taken and forgotten would promise nothing."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import hullwright.tasks

if TYPE_CHECKING:
    from collections.abc import Iterator

FILES = sorted(Path(hullwright.tasks.__file__).parent.glob("*.py"))


def tasks_of(file: Path) -> Iterator[ast.FunctionDef]:
    """Yield the functions of a module that are tasks."""
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and any(map(is_task, node.decorator_list)):
            yield node


def is_task(decorator: ast.expr) -> bool:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(called, ast.Name) and called.id == "task"


TASKS = [(f"{file.stem}.{task.name}", task) for file in FILES for task in tasks_of(file)]


@pytest.mark.parametrize(("name", "task"), TASKS, ids=[name for name, _ in TASKS])
def test_every_flag_of_a_task_is_read(name: str, task: ast.FunctionDef) -> None:
    flags = {argument.arg for argument in (*task.args.args, *task.args.kwonlyargs)}
    read = {node.id for node in ast.walk(task) if isinstance(node, ast.Name)}
    assert flags - read - {"session"} == set(), f"{name} takes these and does nothing with them"


def test_tasks_are_found() -> None:
    assert {"image.build", "publishing.push", "matrixing.matrix"} <= {name for name, _ in TASKS}
