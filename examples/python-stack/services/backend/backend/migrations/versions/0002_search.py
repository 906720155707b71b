"""Find reminders by words that are misspelt, or have their accents elsewhere."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    # `unaccent` depends on a dictionary that could be changed, so an index wants it wrapped.
    op.execute(
        """
        CREATE FUNCTION plain(text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
        RETURN lower(public.unaccent('public.unaccent', $1))
        """
    )
    op.execute("CREATE INDEX reminders_text ON reminders USING gin (plain(text) gin_trgm_ops)")
