"""Alembic's scripts: how the database came to its schema, step by step."""
