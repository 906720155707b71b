"""Keep reminders."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE reminders (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            chat bigint NOT NULL,
            text text NOT NULL,
            due timestamptz NOT NULL,
            -- What it was made of: the messenger tells everything at least once.
            source text NOT NULL UNIQUE,
            -- Whoever took it has until then to send it; afterwards it is due again.
            taken_until timestamptz,
            sent timestamptz
        )
        """
    )
    op.execute("CREATE INDEX reminders_due ON reminders (due) WHERE sent IS NULL")
