"""Runs migrations on the connection, and in the transaction, of whoever asks for them."""

from typing import Any

from alembic import context

applied: list[str] = context.config.attributes["applied"]


def note(step: Any, **_: Any) -> None:
    """Tell who asked which revision was applied."""
    applied.append(step.up_revision_id)


context.configure(
    connection=context.config.attributes["connection"],
    on_version_apply=note,
)
with context.begin_transaction():
    context.run_migrations()
