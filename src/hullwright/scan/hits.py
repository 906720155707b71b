"""Where needles lay, gathered place by place, and told as findings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from hullwright.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hullwright.findings import Severity
    from hullwright.scan.needles import Needle

# A value that lies in more files than these is told of with their number.
_MOST_PLACES: Final = 20


@dataclass
class Hits:
    """The needles of one thing that is searched, by the place in it."""

    places: dict[str, dict[str, set[str]]] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    _count: dict[str, int] = field(default_factory=dict)

    def add(self, place: str, found: Iterable[Needle]) -> None:
        """Keep what was found at a place; of each key only the first places."""
        for needle in sorted(found, key=lambda needle: (needle.keys, needle.encoding)):
            known = self.places.get(place, {})
            if needle.keys not in known:
                self._count[needle.keys] = self._count.get(needle.keys, 0) + 1
                if self._count[needle.keys] > _MOST_PLACES:
                    self.left_out[needle.keys] = self._count[needle.keys] - _MOST_PLACES
                    continue
            here = self.places.setdefault(place, {})
            here.setdefault(needle.keys, set()).add(needle.encoding)

    def each(self) -> Iterator[tuple[str, str, str]]:
        """Yield place, keys and how the value is written there."""
        for place, keys in self.places.items():
            for key, encodings in keys.items():
                yield place, key, " and ".join(sorted(encodings))


def finding(
    kind: str,
    subject: str,
    keys: str,
    encoding: str,
    *,
    note: str = "",
    remedy: str = "",
    severity: Severity = "error",
) -> Finding:
    """Return the finding of a value at a place."""
    more = f"; {note}" if note else ""
    return Finding(kind, severity, subject, f"holds the value of {keys}, {encoding}{more}", remedy)


def not_shown(kind: str, subject: str, left_out: dict[str, int]) -> Iterator[Finding]:
    """Yield what tells of places that are too many to be listed."""
    for keys, number in left_out.items():
        yield Finding(
            kind,
            "error",
            subject,
            f"holds the value of {keys} in {number} more places, which are not listed",
            "where the value is no secret, list its key in [secrets] public",
        )


def unsearched(subject: str, why: str, severity: Severity = "error", remedy: str = "") -> Finding:
    """Return the finding of what could not be searched; there nothing is proven."""
    return Finding("scan.unsearched", severity, subject, f"was not searched: {why}", remedy)
