"""What images a repository needs and what was prepared, as text, Markdown and JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hullwright.bases import Listing, Prepared, Pull
from hullwright.bases.lockmodels import shown
from hullwright.report.table import aligned
from hullwright.report.table import markdown as markdown_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullwright.bases import Done, ListedImage, Plan, Use

_SCHEMA: Final = 1
_PREPARE: Final = "invoke images --prepare"


def text(result: Listing | Prepared | Plan) -> str:
    """Return the images for a person: one line each, what is missing and what to do about it.

    A plan, which `--dry` shows, has its own text form.
    """
    if isinstance(result, Prepared):
        return _prepared(result)
    if not isinstance(result, Listing):
        return str(result)
    rows = list(_rows(result))
    lines = [_head(result), ""] if rows else [_head(result)]
    lines += [f"  {line}" for line in aligned(rows, gap=2).splitlines()]
    lines += [f"  {line}" for line in _unknown(result)]
    after = _next(result)
    return "\n".join([*lines, *(["", after] if after else [])])


def markdown(result: Listing | Prepared | Plan) -> str:
    """Return the images as a table for a job summary."""
    if not isinstance(result, (Listing, Prepared)):
        return f"```\n{result}\n```"
    listing = result if isinstance(result, Listing) else result.listing
    rows = [(f"`{row[1]}`", *row[2:]) for row in _rows(listing)]
    lock = ["lock"] if listing.has_lock else []
    table = markdown_table(("image", "state", "from", *lock, "named by"), rows)
    return f"### {_head(listing)}\n\n{table}"


def as_json(result: Listing | Prepared | Plan) -> dict[str, Any]:
    """Return the images as documented values."""
    if isinstance(result, Listing):
        return {"schema": _SCHEMA, **_listing(result)}
    plan = result.plan if isinstance(result, Prepared) else result
    found: dict[str, Any] = {"schema": _SCHEMA, "plan": str(plan).splitlines()}
    if isinstance(result, Prepared):
        found["done"] = [_done(done) for done in result.done]
        found |= _listing(result.listing)
    return found


def _head(listing: Listing) -> str:
    count = len(listing.images)
    if not count:
        return "no Dockerfile and no compose file names an image"
    named = f"{count} image{'' if count == 1 else 's'}"
    missing = len(listing.missing)
    return f"✗ {named}, {missing} missing" if missing else f"{named}, all present"


def _rows(listing: Listing) -> Iterator[tuple[str, ...]]:
    for image in listing.images:
        *row, places = _row(image)
        yield (*row, *([_lock(image)] if listing.has_lock else []), places)


def _lock(image: ListedImage) -> str:
    """Return what the lock has for an image; nothing where it is not to hold it."""
    if image.locked is None:
        return "not locked" if image.lockable else ""
    return "locked by recipe" if image.locked.stand_in else f"locked {shown(image.locked)}"


def _row(image: ListedImage) -> tuple[str, ...]:
    mark, state = "✓", "present"
    if image.origin == "built here" and image.state == "missing":
        mark, state = "·", "not built"
    elif image.state == "stale":
        mark, state = "!", "stale"
    elif image.state == "missing":
        mark, state = "✗", "missing"
    elif image.lacking and image.origin != "built here":
        mark, state = "✗", f"not for {', '.join(map(str, image.lacking))}"
    return mark, image.image, state, _origin(image), _places(image)


def _places(image: ListedImage) -> str:
    """Return where an image is named; services of one file stand behind its name once."""
    grouped: dict[str, list[str]] = {}
    for use in image.uses:
        file, _, service = use.place.partition(": ")
        grouped.setdefault(file, []).extend([service] if service else [])
    return ", ".join(
        f"{file}: {' '.join(services)}" if services else file for file, services in grouped.items()
    )


def _origin(image: ListedImage) -> str:
    if image.origin == "built here" and image.stand_in_of:
        return f"built here, on a stand-in of {image.stand_in_of}"
    if image.origin == "registry" and image.stand_in_of:
        return f"built on a stand-in of {image.stand_in_of}"
    if image.state == "missing" and image.recipe:
        return f"registry, or stand-in {image.recipe}"
    return image.origin


def _unknown(listing: Listing) -> Iterator[str]:
    for use in listing.unknown:
        why = f"{', '.join(use.missing)} has no value" if use.missing else "is no image reference"
        yield f"?  {use.place}: {use.image or 'an image'} {why}"


def _next(listing: Listing) -> str:
    if listing.missing:
        return f"next  {_PREPARE}"
    if any(image.state == "stale" for image in listing.images):
        return f"next  {_PREPARE} --stand-ins   (a stale stand-in's recipe has changed since)"
    return ""


def _prepared(result: Prepared) -> str:
    lines = [f"  ✓ {_told(done)}" for done in result.done]
    seconds = sum(done.seconds for done in result.done)
    count = len(result.done)
    sum_line = f"{count} made present in {seconds:.1f} s" if count else "nothing to do"
    return "\n".join([*lines, *([""] if lines else []), f"{_head(result.listing)} · {sum_line}"])


def _told(done: Done) -> str:
    operation = done.operation
    if isinstance(operation, Pull):
        return f"{operation.image}  pulled  {operation.platform}  {done.seconds:.1f} s"
    platforms = " ".join(map(str, operation.platforms))
    return f"{operation.image}  stand-in built  {platforms}  {done.seconds:.1f} s"


def _listing(listing: Listing) -> dict[str, Any]:
    return {
        "images": [_image(image) for image in listing.images],
        "unknown": [_use(use) | {"variables": list(use.missing)} for use in listing.unknown],
    }


def _image(image: ListedImage) -> dict[str, Any]:
    return {
        "image": image.image,
        "state": image.state,
        "origin": image.origin,
        "platforms": [str(platform) for platform in image.platforms],
        "wanted": [str(platform) for platform in image.wanted],
        "recipe": image.recipe or None,
        "stand_in_of": image.stand_in_of or None,
        "locked": _locked(image),
        "uses": [use.place for use in image.uses],
    }


def _locked(image: ListedImage) -> dict[str, Any] | None:
    entry = image.locked
    if entry is None:
        return None
    return {"digest": entry.digest or None, "stand_in": entry.stand_in or None}


def _use(use: Use) -> dict[str, Any]:
    return {"image": use.image, "place": use.place}


def _done(done: Done) -> dict[str, Any]:
    kind = "pull" if isinstance(done.operation, Pull) else "stand-in"
    return {"image": done.operation.image, "by": kind, "seconds": round(done.seconds, 3)}
