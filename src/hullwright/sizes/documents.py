"""What the databases and metadata of packages say, from their bytes. Pure, and total.

Whatever cannot be understood is left out: nothing in here raises because of what it is given.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_LONGEST_WORD: Final = 200
_HEADERS_BYTES: Final = 64 * 1024
_NAME: Final = re.compile(rb"^Name:[ \t]*(.+)$", re.MULTILINE | re.IGNORECASE)
_VERSION: Final = re.compile(rb"^Version:[ \t]*(.+)$", re.MULTILINE | re.IGNORECASE)
_FIELDS: Final = re.compile(r"^(Package|Status|Architecture|Version):[ \t]*(.*)$", re.MULTILINE)
# Of a module's line: kind, path, version, checksum.
_MODULE_WORDS: Final = 3


def paragraphs(content: bytes) -> Iterator[Mapping[str, str]]:
    """Yield the packages of a Debian control file: Package, Status, Architecture and Version."""
    for text in re.split(r"\n[ \t]*\n", _text(content)):
        found = {match[1]: word(match[2]) for match in _FIELDS.finditer(text)}
        if found.get("Package"):
            yield found


def installed_apk(content: bytes) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield name, version and paths of the packages that apk installed."""
    name, version, folder = "", "", ""
    paths: list[str] = []
    for line in (*_text(content).split("\n"), ""):
        kind, value = line[:2], line[2:]
        if kind == "P:":
            name = word(value)
        elif kind == "V:":
            version = word(value)
        elif kind == "F:":
            folder = f"{value.strip('/')}/" if value.strip("/") else ""
        elif kind == "R:":
            paths.append(folder + value)
        elif not line:
            if name:
                yield name, version, tuple(paths)
            name, version, folder, paths = "", "", "", []


def metadata(content: bytes) -> tuple[str, str]:
    """Return name and version of a Python distribution; empty where it does not say."""
    # A description follows, which may hold such lines too.
    headers = content[:_HEADERS_BYTES].replace(b"\r\n", b"\n").split(b"\n\n", 1)[0]
    name, version = _NAME.search(headers), _VERSION.search(headers)
    return word(_text(name[1])) if name else "", word(_text(version[1])) if version else ""


def node_package(content: bytes, folder: str) -> tuple[str, str]:
    """Return name and version of a package of Node; the name of its folder where it does not say.

    Args:
        content: its package.json.
        folder: its path below node_modules.
    """
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        document = None
    known = document if isinstance(document, dict) else {}
    name, version = known.get("name"), known.get("version")
    return (
        word(name) if isinstance(name, str) and name else word(folder),
        word(version) if isinstance(version, str) else "",
    )


def go_modules(content: bytes) -> tuple[tuple[str, str], tuple[tuple[str, str], ...]]:
    """Return the module that a Go program is of, and those it needs, each with its version.

    A program of Go itself names no module; then it is its package, of the compiler's version.
    """
    compiler, package, main = "", "", ("", "")
    needed: list[tuple[str, str]] = []
    for line in _text(content).split("\n"):
        words = [word(each) for each in line.split("\t")]
        match words[0]:
            case "go":
                compiler = words[-1]
            case "path":
                package = words[-1]
            case "mod" if len(words) >= _MODULE_WORDS:
                main = (words[1], words[2])
            case "dep" if len(words) >= _MODULE_WORDS:
                needed.append((words[1], words[2]))
            case "=>" if len(words) >= _MODULE_WORDS and needed:
                # It stands in place of the module before it.
                needed[-1] = (words[1], words[2])
    return main if main[0] else (package, compiler), tuple(needed)


def word(text: str) -> str:
    """Return a text from an image as one short line, which a terminal can show."""
    short = text.strip()[:_LONGEST_WORD]
    return short if short.isprintable() else "".join(c if c.isprintable() else "�" for c in short)


def _text(content: bytes) -> str:
    return content.decode(errors="replace")
