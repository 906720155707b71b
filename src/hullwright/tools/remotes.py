"""Where a clone came from: the remotes of a Git configuration, and their addresses for a browser.

The file is read as it is, since a Git process would cost more than all the rest of a label. It is
not asked for `insteadOf`: a mirror that one machine uses is not where the source is published.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# https://git-scm.com/docs/git-config#_syntax
_SECTION: Final = re.compile(r'\s*\[\s*remote\s+"(?P<name>(?:[^"\\]|\\.)*)"\s*\]', re.IGNORECASE)
_OTHER: Final = re.compile(r"\s*\[")
_URL: Final = re.compile(r"\s*url\s*=\s*(?P<value>.*)", re.IGNORECASE)
_VALUE: Final = re.compile(r'(?:"(?:[^"\\]|\\.)*"|\\.|[^"\\#;])*')
# user@host:path, which is what `git clone git@…` takes; one letter is a drive of Windows.
_SCP: Final = re.compile(r"(?:[^@/:]+@)?(?P<host>[^@/:]{2,}):(?!//)/*(?P<path>.+)")
_TAGS: Final = "refs/tags/"
# Between the two files that one fetch writes.
_SAME_FETCH_S: Final = 2.0
_SCHEMES: Final = {"http": "http", "https": "https", "ssh": "https", "git": "https"}


def source_address(common_dir: Path) -> str:
    """Return where the source of a clone is published: https, no credentials, no `.git`.

    It is the remote `origin`, or the only one; empty where there is none, or it is a folder.
    """
    remotes = remotes_of(common_dir)
    only = next(iter(remotes.values())) if len(remotes) == 1 else ""
    return published(remotes.get("origin", only))


def remotes_of(common_dir: Path) -> Mapping[str, str]:
    """Return the remotes of a clone with their first address."""
    file = common_dir / "config"
    text = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
    return parse_remotes(text)


def fetched_without_tags(common_dir: Path) -> str:
    """Return the newest fetch if it was told to leave tags out, as Git wrote it down; else nothing.

    Such a clone, as CI makes it, has nothing in its configuration that tells of it.
    """
    folder = common_dir / "logs" / "refs" / "remotes"
    logs = [path for path in folder.rglob("*") if path.is_file()]
    newest = max(logs, key=lambda path: path.stat().st_mtime_ns, default=None)
    if newest is None:
        return ""
    lines = newest.read_text(encoding="utf-8", errors="replace").splitlines()
    # The message stands behind a tab; it is the words of the command, and what it did.
    command = lines[-1].rpartition("\t")[2].rpartition(": ")[0] if lines else ""
    if "--no-tags" not in command.split() or _TAGS in command:
        return ""
    later = common_dir / "FETCH_HEAD"
    seconds = later.stat().st_mtime - newest.stat().st_mtime if later.is_file() else 0.0
    # A fetch that brought no commit is not written down, but renews this file.
    return "" if seconds > _SAME_FETCH_S else f"git {command}"


def parse_remotes(text: str) -> Mapping[str, str]:
    """Return the first address of each remote that a Git configuration names."""
    found: dict[str, str] = {}
    name = None
    for line in text.splitlines():
        if match := _SECTION.match(line):
            name = re.sub(r"\\(.)", r"\1", match["name"])
            line = line[match.end() :]  # noqa: PLW2901  a key may follow on the same line
        elif _OTHER.match(line):
            name = None
        if name is not None and (match := _URL.match(line)):
            found.setdefault(name, _value(match["value"]))
    return found


def published(address: str) -> str:
    """Return a remote's address as one that a browser opens; empty for one of this machine."""
    match = _SCP.fullmatch(address) if "://" not in address else None
    if match:
        scheme, host, path = "https", match["host"], match["path"]
        # No address that Git could use, but a slip of somebody's pen, which may hold a password.
        if host in _SCHEMES or "@" in path or path.startswith(":"):
            return ""
    else:
        try:
            parts = urlsplit(address)
            port = parts.port
        except ValueError:
            return ""
        scheme = _SCHEMES.get(parts.scheme, "")
        host, path = parts.hostname or "", parts.path.lstrip("/")
        host = f"[{host}]" if ":" in host else host
        # The port of SSH says nothing of the web server on that host.
        host += f":{port}" if port and parts.scheme == scheme else ""
    path = path.rstrip("/").removesuffix(".git")
    return f"{scheme}://{host}/{path}" if scheme and host and path else ""


def _value(text: str) -> str:
    match = _VALUE.match(text)
    plain = (match[0] if match else "").strip().replace('"', "")
    return re.sub(r"\\(.)", r"\1", plain)
