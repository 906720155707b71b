"""What the engine keeps: its images with their age, what carries a label, and its build cache."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from hullwright.errors import UsageError
from hullwright.images import parse_size_bytes
from hullwright.run import CommandError
from hullwright.tools.engine import check_reachable, epoch_s, label_filters, parse_image
from hullwright.tools.localstore import rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullwright.run import Result, Runner
    from hullwright.tools.engine import LocalImage

# The engine counts the bytes of every layer for this, which takes seconds on a full disk.
_SLOW_S: Final = 300.0
_AGO: Final = re.compile(
    r"(?P<count>\ban?|\d+) (?P<unit>second|minute|hour|day|week|month|year)s? ago"
)
_AGO_S: Final = {
    "second": 1,
    "minute": 60,
    "hour": 3600,
    "day": 86400,
    "week": 7 * 86400,
    "month": 30 * 86400,
    "year": 365 * 86400,
}


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An image of the local store and what tells its age.

    Attributes:
        image: names, labels and id.
        digests: what registries know it by, and its own digest where the store has one.
        at: when it was last named or made here, epoch seconds; 0 where the engine does not say.
    """

    image: LocalImage
    digests: frozenset[str]
    at: float


@dataclass(frozen=True, slots=True)
class CacheUse:
    """The build cache of the builder that is in use, which knows no projects.

    Attributes:
        builder: its name.
        total_bytes: all of it.
        unused_bytes: what could go by the age that was asked for.
        records: how many entries these are.
    """

    builder: str
    total_bytes: int
    unused_bytes: int
    records: int


def stored_images(runner: Runner, *labels: str) -> tuple[StoredImage, ...]:
    """Return the images, those without a name too, that have every label (`KEY` or `KEY=VALUE`)."""
    listed = rows(runner, "--all", "--quiet", "--no-trunc", *label_filters(labels))
    if not listed.ok:
        raise CommandError(listed)
    ids = listed.stdout.split()
    if not ids:
        return ()
    # One that is removed meanwhile is left out.
    answer = _ask(runner, "docker", "image", "inspect", *dict.fromkeys(ids), check=False)
    return tuple(_stored(raw) for raw in json.loads(answer.stdout or "[]"))


def own_bytes(runner: Runner) -> dict[str, int]:
    """Return the bytes on disk that each image shares with no other, by its id.

    Empty where the engine cannot count: its own count fails when a snapshot goes meanwhile, as
    it does beside a build.
    """
    df = ("docker", "system", "df", "--verbose", "--format", "{{json .Images}}")
    answer = _ask(runner, *df, check=False, timeout_s=_SLOW_S)
    if not answer.ok:
        return {}
    return {raw["ID"]: _bytes(raw.get("UniqueSize", "")) for raw in json.loads(answer.stdout)}


def labelled(
    runner: Runner, kind: Literal["network", "volume"], label: str, *others: str
) -> dict[str, tuple[str, ...]]:
    """Return the names of the networks or volumes with a label, by its value; each name sorted.

    Args:
        runner: asks the engine.
        kind: what is listed.
        label: its key.
        others: labels that they must have besides (`KEY=VALUE`).
    """
    form = f'{{{{.Label "{label}"}}}}\t{{{{.Name}}}}'
    answer = _ask(runner, "docker", kind, "ls", *label_filters((label, *others)), "--format", form)
    found: dict[str, tuple[str, ...]] = {}
    for line in sorted(answer.stdout.splitlines()):
        value, _, name = line.partition("\t")
        found[value] = (*found.get(value, ()), name)
    return found


def cache_use(runner: Runner, unused_s: int) -> CacheUse:
    """Return how much of the build cache nobody used for `unused_s` seconds, about.

    `docker buildx du` takes the filter `until` and does not apply it, and tells in words how long
    ago an entry was used ("3 hours ago"); so does what it says of sizes, in three digits.

    Raises:
        CommandError: the builder cannot be asked.
    """
    name = _ask(runner, "docker", "buildx", "inspect").stdout.splitlines()[0].partition(":")[2]
    du = _ask(runner, "docker", "buildx", "du", "--format", "json", timeout_s=_SLOW_S)
    records = [json.loads(line) for line in du.stdout.splitlines() if line.startswith("{")]
    idle = [
        _bytes(record.get("Size", ""))
        for record in records
        if record.get("Reclaimable") and ago_s(record.get("LastUsedAt", "")) >= unused_s
    ]
    total = sum(_bytes(record.get("Size", "")) for record in records)
    return CacheUse(name.strip(), total, sum(idle), len(idle))


def ago_s(text: str) -> float:
    """Return the seconds of what Docker says is so long ago: `About an hour ago`, `3 weeks ago`.

    Source: https://pkg.go.dev/github.com/docker/go-units#HumanDuration. Endless where it says
    nothing: an entry that was never used again.
    """
    match = _AGO.search(text)
    if match is None:
        return float("inf")
    count = match["count"]
    return (1 if count in {"a", "an"} else int(count)) * _AGO_S[match["unit"]]


def clear_cache(runner: Runner, unused_s: int) -> Result:
    """Remove what of the build cache nobody used for `unused_s` seconds, and return the answer."""
    return runner.run(
        "docker", "buildx", "prune", "--force", "--filter", f"until={unused_s}s", check=False
    )


def _stored(raw: Mapping[str, Any]) -> StoredImage:
    named = {entry.rpartition("@")[2] for entry in raw.get("RepoDigests") or ()}
    own = (raw.get("Descriptor") or {}).get("digest", "")
    tagged = epoch_s((raw.get("Metadata") or {}).get("LastTagTime"))
    return StoredImage(
        parse_image(raw),
        frozenset({*named, own, raw["Id"]} - {""}),
        # A reproducible image says that it is as old as its commit, or as old as Unix.
        max(tagged, epoch_s(raw.get("Created"))),
    )


def _bytes(text: str) -> int:
    try:
        return parse_size_bytes(text.rstrip("*"))
    except UsageError:
        # "N/A", where the engine did not count.
        return 0


def _ask(runner: Runner, *argv: str, check: bool = True, timeout_s: float = 60.0) -> Result:
    answer = runner.read(*argv, check=False, timeout_s=timeout_s)
    check_reachable(answer)
    if check and not answer.ok:
        raise CommandError(answer)
    return answer
