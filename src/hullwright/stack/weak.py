"""What production refuses: values that nobody made up, and secrets that are too short."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullwright.errors import UsageError
from hullwright.secret import Secret
from hullwright.stack.variables import secret_keys
from hullwright.tools.placeholders import is_placeholder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from hullwright.stack.selection import Selection
    from hullwright.tools.compose import Model
    from hullwright.workspace import Workspace


def refuse(
    ws: Workspace,
    selection: Selection,
    written: Mapping[str, Any],
    model: Model,
    services: Sequence[str],
) -> None:
    """Make sure that production starts with no placeholder and with no short secret.

    Args:
        ws: the repository.
        selection: the stack with its values.
        written: its model as it is written, for secrets that are handed over as files.
        model: its resolved model, for all other values, defaults of the files included.
        services: what is started.

    Raises:
        UsageError: values are refused; each is named with the reason, and none is shown.
    """
    if not selection.production:
        return
    shortest = ws.config.secrets.min_length
    wrong: dict[str, str] = {}
    for name, value in _values(ws, selection, written, model, services):
        if value and is_placeholder(name, value):
            wrong[name] = "is still a placeholder"
        elif len(value) < shortest.get(name, 0):
            wrong[name] = (
                f"has {len(value)} characters; [secrets] min-length asks for {shortest[name]}"
            )
    if wrong:
        environment = selection.production
        given = "" if selection.call.dotenv else f" --env {environment}"
        raise UsageError(
            f"{environment} refuses {len(wrong)} value{'s' * (len(wrong) > 1)}: {', '.join(wrong)}",
            why=list(wrong.items()),
            next_step=f"invoke secrets.set --key {next(iter(wrong))}{given}"
            "   (or give them where yours come from: the environment, .env)",
        )


def _values(
    ws: Workspace,
    selection: Selection,
    written: Mapping[str, Any],
    model: Model,
    services: Sequence[str],
) -> Iterator[tuple[str, str]]:
    given = {**ws.environ, **selection.environment, **selection.long}
    for _, key in secret_keys(written, services):
        value = given.get(key, "")
        yield key, value.reveal() if isinstance(value, Secret) else value
    for service in services:
        for name, value in (model.services[service].raw.get("environment") or {}).items():
            # A model that can be read again has each dollar sign twice.
            yield name, str(value or "").replace("$$", "$")
