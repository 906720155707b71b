"""Searches files of the repository, and build contexts as BuildKit would be sent them."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from hullwright.findings import Finding
from hullwright.scan.archives import search_file
from hullwright.scan.hits import Hits, finding, not_shown, unsearched
from hullwright.tools.buildcontext import Contexts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hullwright.scan.models import ScannedContext
    from hullwright.scan.search import Haystack
    from hullwright.workspace import Workspace

# Files that show which variables there are, under the names that are in use.
EXAMPLES: Final = (
    *(".env.example", ".env.*.example", ".env.sample", ".env.template", ".env.dist"),
    *("*.env.example", "*.example.env"),
)
# What the digest of a context says of a regular file begins with this.
_REGULAR: Final = "f"
_EXAMPLE_REMEDY: Final = (
    "put a placeholder there and rotate the secret; if it is none, list the key in [secrets] public"
)
_FILE_REMEDY: Final = "take it out, rotate the secret, and hand it over: invoke run-with, up"
_CONTEXT_REMEDY: Final = "leave the file out by .dockerignore: any COPY . . would take it"


def search_file_named(ws: Workspace, haystack: Haystack, name: str) -> tuple[list[Finding], int]:
    """Return what a file of the repository holds, and how many bytes were searched."""
    findings, hits = list[Finding](), Hits()
    size = _search(haystack, ws.root / name, name, hits, findings)
    example = is_example(name)
    kind = "scan.example" if example else "scan.file"
    remedy = _EXAMPLE_REMEDY if example else _FILE_REMEDY
    findings += [finding(kind, *hit, remedy=remedy) for hit in hits.each()]
    return findings, size


def search_context(
    ws: Workspace, haystack: Haystack, context: ScannedContext
) -> tuple[list[Finding], int]:
    """Return what a build context holds, and how many bytes were searched."""
    state = ws.root.resolve() / ".hullwright"
    sent = Contexts(state / "inputs" / "hashes.json", state).of(context.folder, context.ignore)
    findings = [
        unsearched(f"context {context.name}: {path}", "it cannot be read")
        for path in sent.unreadable
    ]
    hits, total = Hits(), 0
    for path, said in sent.files.items():
        hits.add(path, haystack.search(path.encode("utf-8", "surrogateescape")))
        if said.startswith(_REGULAR):
            total += _search(haystack, context.folder / path, path, hits, findings)
    findings += _found_in(haystack, context, hits)
    return findings, total


def is_example(name: str) -> bool:
    """Return whether a file shows which variables there are, as `.env.example` does."""
    return any(fnmatchcase(name.rpartition("/")[2], pattern) for pattern in EXAMPLES)


def _found_in(haystack: Haystack, context: ScannedContext, hits: Hits) -> Iterator[Finding]:
    for path, keys, encoding in hits.each():
        subject = f"context {context.name}: {haystack.masked(path)}"
        yield finding("scan.context", subject, keys, encoding, remedy=_CONTEXT_REMEDY)
    yield from not_shown("scan.context", f"context {context.name}", hits.left_out)


def _search(haystack: Haystack, path: Path, name: str, hits: Hits, findings: list[Finding]) -> int:
    try:
        with path.open("rb", buffering=0) as file:
            found, size = search_file(haystack, file)
    except FileNotFoundError:
        return 0  # it went away since it was listed
    except OSError as error:
        why = error.strerror or str(error)
        findings.append(unsearched(haystack.masked(name), why))
        return 0
    hits.add(name, found)
    return size
