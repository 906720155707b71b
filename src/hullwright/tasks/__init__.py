"""Hullwright's tasks as one Invoke collection.

A repository adopts them with a `tasks.py` of two lines::

    from hullwright.tasks import collection
    ns = collection()

`ns` is an ordinary `invoke.Collection`: `ns.add_task(mine)` adds a task beside ours, and one of
the same name replaces ours. A task of ours can be called, or named in `pre=[…]`, from there.
"""

from __future__ import annotations

from invoke import Collection, Task


def collection() -> Collection:
    """Return a new collection with every task of Hullwright."""
    from hullwright.tasks import (
        image,
        info,
        pruning,
        publishing,
        registering,
        releasing,
        secret,
        stack,
        tagging,
    )

    namespace = Collection()
    publication = (publishing, releasing, registering, pruning)
    for module in (image, *publication, stack, secret, info, tagging):
        for value in vars(module).values():
            if isinstance(value, Task):
                namespace.add_task(value)
    return namespace
