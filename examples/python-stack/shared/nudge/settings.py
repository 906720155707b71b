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


def seconds(name: str, default: float) -> float:
    """Return a variable that is a number of seconds."""
    text = os.environ.get(name, "") or str(default)
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < float("inf"):
        raise SystemExit(f'{name} is "{text}"; expected a number of seconds above 0')
    return value


def queue_url() -> str:
    """Return where the queue is, with the password, whatever characters that has."""
    password = quote(required("REDIS_PASSWORD"), safe="")
    return f"redis://:{password}@{os.environ.get('REDIS_HOST') or 'redis'}:6379/0"
