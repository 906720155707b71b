"""Hooks: commands of the repository that run before or after a task, and can stop it.

A hook gets its event and context twice: as environment variables for a shell script
(`HULLWRIGHT_HOOK_EVENT`, `HULLWRIGHT_HOOK_<NAME>`), and as one JSON document on standard input.
Secrets are not part of a context.
"""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING, Any, Final

from hullwright.errors import CheckFailedError, UnavailableError
from hullwright.run import CommandError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullwright.workspace import Workspace

_SCHEMA: Final = 1
_PREFIX: Final = "HULLWRIGHT_HOOK_"
_NO_NAME: Final = re.compile(r"[^A-Z0-9]+")


def run_hook(ws: Workspace, event: str, context: Mapping[str, Any]) -> bool:
    """Run the command that the configuration has for `event`; return whether there is one.

    It runs in the repository's top folder.

    Args:
        ws: the repository.
        event: such as `before-build`.
        context: what the task knows; values of JSON.

    Raises:
        CheckFailedError: the hook did not end with 0; its output is in the message.
        UnavailableError: its program does not exist.
    """
    command = ws.config.hooks.get(event)
    if not command:
        return False
    argv = (_program(ws, command[0]), *command[1:])
    document = json.dumps({"schema": _SCHEMA, "event": event, **context}, sort_keys=True)
    try:
        with ws.console.step(f"hook {event}: {shlex.join(command)}"):
            result = ws.runner.run(
                *argv, cwd=ws.root, env=environment(event, context), stdin=f"{document}\n"
            )
    except CommandError as error:
        raise CheckFailedError(
            f"the hook {event} stopped this run: it ended with {error.result.returncode}",
            why=[
                ("command", shlex.join(command)),
                ("output", "\n".join(error.result.tail()) or "(it printed nothing)"),
            ],
            next_step=f"correct what it reports, or hooks.{event} in the configuration",
        ) from error
    except UnavailableError as error:
        raise UnavailableError(
            f"the hook {event} cannot be run: {error.what}",
            why=[("command", shlex.join(command)), ("why", f"{error.why or ''}")],
            next_step=(error.next_step if error.why else "")
            or f"correct hooks.{event} in the configuration, or make the file executable",
        ) from error
    for line in ws.runner.redacted(result.stdout + result.stderr).splitlines():
        ws.console.detail(f"  {line}")
    return True


def environment(event: str, context: Mapping[str, Any]) -> dict[str, str]:
    """Return a hook's context as variables; lists become words with commas between them."""
    named = {f"{_PREFIX}{_NO_NAME.sub('_', name.upper())}": _word(v) for name, v in context.items()}
    return {f"{_PREFIX}EVENT": event, **named}


def _word(value: Any) -> str:
    if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        return ",".join(value)
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, sort_keys=True)


def _program(ws: Workspace, program: str) -> str:
    # A path is meant from the repository's top, wherever the task was called.
    return str(ws.root / program) if "/" in program else program
