"""How Alembic runs the scripts: over the connection, and in the transaction, of the caller."""

from alembic import context

from hullwright.dashboard.store import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
)
with context.begin_transaction():
    context.run_migrations()
