"""Hullwright's tasks as one Invoke collection.

A repository adopts them with a `tasks.py` of two lines::

    from hullwright.tasks import collection
    ns = collection()

`ns` is an ordinary `invoke.Collection`: `ns.add_task(mine)` adds a task beside ours, and one of
the same name replaces ours. A task of ours can be called, or named in `pre=[…]`, from there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke import Collection, Task

if TYPE_CHECKING:
    from types import ModuleType


def collection() -> Collection:
    """Return a new collection with every task of Hullwright."""
    from hullwright.tasks import (
        coldstarting,
        image,
        info,
        looking,
        matrixing,
        pruning,
        publishing,
        registering,
        releasing,
        running,
        scanning,
        secret,
        secretkeeping,
        sizing,
        stack,
        tagging,
    )

    publication = (publishing, releasing, registering, pruning)
    starting = (stack, looking, coldstarting, secret, running)
    namespace = _tasks_of(Collection(), image, sizing, *publication, *starting, info, tagging)
    # Groups are dotted: `secrets.rotate`.
    namespace.add_collection(_tasks_of(Collection("secrets"), secretkeeping, scanning))
    namespace.add_collection(_tasks_of(Collection("ci"), matrixing))
    return namespace


def _tasks_of(group: Collection, *modules: ModuleType) -> Collection:
    for module in modules:
        for value in vars(module).values():
            if isinstance(value, Task):
                group.add_task(value)
    return group
