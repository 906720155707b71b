"""A version as its consumers read it: a shell, GitHub Actions, GitLab CI, a Go build."""

from __future__ import annotations

import hashlib
import json
import shlex
from typing import TYPE_CHECKING, Final

from hullwright.report.version import as_json
from hullwright.version.model import rfc3339

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullwright.report.version import Account

_PREFIX: Final = "HULLWRIGHT_"
# The variables of a Go program that tell its version, by the build argument of the same value.
_GO_VARIABLES: Final = {"version": "VERSION", "commit": "GIT_COMMIT", "date": "BUILD_DATE"}


def env(account: Account) -> str:
    """Return `NAME=value` lines that a shell and a dotenv reader take alike."""
    return "\n".join(f"{k}={shlex.quote(v)}" for k, v in _values(account).items())


def gitlab(account: Account) -> str:
    """Return the lines of a dotenv artifact; GitLab takes every letter after `=` as it is."""
    return "\n".join(f"{_PREFIX}{k}={v}" for k, v in _values(account).items())


def github_env(account: Account) -> str:
    """Return what a GitHub step appends to `$GITHUB_ENV`, for the steps after it."""
    return "\n".join(_github_line(f"{_PREFIX}{k}", v) for k, v in _values(account).items())


def github_output(account: Account) -> str:
    """Return what a GitHub step appends to `$GITHUB_OUTPUT`: its outputs, in lower case.

    Tags and labels have a line each, as the actions that build images want them; `json` is all.
    """
    labels = (f"{name}={' '.join(value.split())}" for name, value in account.labels.items())
    outputs = {
        **{name.lower(): value for name, value in _values(account).items()},
        "tags": "\n".join(account.tags),
        "labels": "\n".join(labels),
        "json": json.dumps(as_json(account), ensure_ascii=False),
    }
    return "\n".join(_github_line(name, value) for name, value in outputs.items())


def ldflags(arguments: Mapping[str, str], package: str) -> str:
    """Return the linker flags that give a Go program the values that an image's build gets.

    Args:
        arguments: those of an image's build.
        package: the package whose variables `version`, `commit` and `date` are set.
    """
    values = {name: arguments[key] for name, key in _GO_VARIABLES.items()}
    return " ".join(f"-X {package}.{name}={value}" for name, value in values.items())


def _values(account: Account) -> dict[str, str]:
    version = account.version
    known = {"REF": version.ref} if version.ref else {}
    # An exported tree does not know its branch and distance: left out, nobody takes them for one.
    if version.distance is not None:
        known["DISTANCE"] = str(version.distance)
    return {
        "VERSION": version.version,
        "IMAGE_TAG": version.image_tag,
        "REVISION": version.revision,
        "SHORT_REVISION": version.short_revision,
        "DESCRIBE": version.describe,
        "COMMIT_DATE": rfc3339(version.commit_date),
        "SOURCE_DATE_EPOCH": str(int(version.commit_date.timestamp())),
        **known,
        "DIRTY": "true" if version.dirty else "false",
        # No tag holds a space.
        "TAGS": " ".join(account.tags),
    }


def _github_line(name: str, value: str) -> str:
    if "\n" not in value:
        return f"{name}={value}"
    # Nobody can write a value that holds the hash of itself, and so end it early.
    mark = hashlib.sha256(value.encode()).hexdigest()[:32]
    return f"{name}<<{mark}\n{value}\n{mark}"
