"""What is attached to an image, as text, Markdown and JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hullwright.images import size_text
from hullwright.push.models import short
from hullwright.report.table import aligned
from hullwright.report.table import markdown as markdown_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullwright.push.attestations import Listing
    from hullwright.tools.attestations import Attached, OfPlatform

_SCHEMA: Final = 1
_HEADER: Final = ("platform", "kind", "predicate type", "size", "names", "made by", "digest")


def text(listing: Listing) -> str:
    """Return it for a person: each platform, and a line for each thing that is attached to it."""
    blocks = [_head(listing)]
    # In one table, so that the columns of all platforms stand below each other.
    rows = [_row(each) for image in listing.images for each in image.attached]
    rows += [_row(each) for each in listing.signatures]
    lines = iter(aligned(rows, right=(2,), gap=2).splitlines())
    for image in listing.images:
        told = [f"    {next(lines)}" for _ in image.attached]
        blocks.append("\n".join([f"  {_title(image)}", *(told or ["    nothing is attached"])]))
    if listing.signatures:
        blocks.append("\n".join(["  the index", *(f"    {line}" for line in lines)]))
    return "\n\n".join([*blocks, *_notes(listing)])


def markdown(listing: Listing) -> str:
    """Return it as a table for a job summary."""
    rows = [
        (f"`{image.platform}`", *(_row(each) if each else ("nothing",)))
        for image in listing.images
        for each in (image.attached or (None,))
    ]
    rows += [("the index", *_row(each)) for each in listing.signatures]
    table = markdown_table(_HEADER, [(*row, *[""] * (len(_HEADER) - len(row))) for row in rows])
    return "\n\n".join([f"### {_head(listing)}", table, *_notes(listing)])


def as_json(listing: Listing) -> dict[str, Any]:
    """Return it as documented values."""
    return {
        "schema": _SCHEMA,
        "reference": listing.reference,
        "place": listing.place,
        "digest": listing.digest,
        "images": [
            {
                "platform": image.platform or None,
                "digest": image.digest,
                "attached": [_value(each) for each in image.attached],
            }
            for image in listing.images
        ],
        "signatures": [_value(each) for each in listing.signatures],
        "absent": list(listing.absent),
    }


def _head(listing: Listing) -> str:
    return f"{listing.reference}  {short(listing.digest)}  in the {listing.place}"


def _title(image: OfPlatform) -> str:
    name = image.platform or "of an image that is not in the index"
    return f"{name}  {short(image.digest)}"


def _row(each: Attached) -> tuple[str, ...]:
    predicate = each.predicate_type.removeprefix("https://")
    size = size_text(each.size_bytes)
    return each.kind, predicate, size, _names(each), _maker(each), short(each.digest)


def _names(each: Attached) -> str:
    if each.packages is not None:
        return "1 package" if each.packages == 1 else f"{each.packages:,} packages"
    if each.materials is not None:
        return "1 material" if each.materials == 1 else f"{each.materials:,} materials"
    return ""


def _maker(each: Attached) -> str:
    return f"by {each.maker}" if each.maker else ""


def _notes(listing: Listing) -> Iterator[str]:
    if listing.silent:
        yield f"! {listing.silent} does not answer; signatures are there alone"
    if listing.absent:
        count = len(listing.absent)
        what = "1 attestation" if count == 1 else f"{count} attestations"
        yield f"{what} that the index names {'is' if count == 1 else 'are'} not in the " + (
            f"{listing.place}, as after a pull, which leaves them out"
            if listing.place == "local store"
            else "registry any more"
        )
    elif not listing.signatures and not any(image.attached for image in listing.images):
        yield ('[build] attestations = ["provenance", "sbom"] attaches both to what is pushed')


def _value(each: Attached) -> dict[str, Any]:
    return {
        "kind": each.kind,
        "predicate_type": each.predicate_type,
        "digest": each.digest,
        "bytes": each.size_bytes,
        "made_by": each.maker or None,
        "materials": each.materials,
        "packages": each.packages,
    }
