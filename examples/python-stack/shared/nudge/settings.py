"""Settings, which come from the environment alone."""

from __future__ import annotations

import os
from urllib.parse import quote


def required(name: str) -> str:
    """Return a variable that has a value; without one the program ends, and says which."""
    value = os.environ.get(name, "")
    if not value:
        raise SystemExit(f"{name} is not set; .env.example says what it is")
    return value


def queue_url() -> str:
    """Return where the queue is, with the password, whatever characters that has."""
    password = quote(required("REDIS_PASSWORD"), safe="")
    return f"redis://:{password}@redis:6379/0"
