"""Variables and where each is set, without any value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullwright.report.table import aligned
from hullwright.report.table import markdown as markdown_table

if TYPE_CHECKING:
    from hullwright.envfile import Listing, Made, Variable

EMPTY = "no variables: there is neither .env.example nor .env, and no compose file asks for one"


def text(listing: Listing) -> str:
    """Return a line for each variable, and what is missing at the end."""
    if not listing.variables:
        return EMPTY
    rows = [(_mark(one), one.name, *_state(one)) for one in listing.variables]
    return f"{aligned(rows, gap=2)}\n\n{_verdict(listing)}"


def made(result: Made) -> str:
    """Return what was written to an environment file."""
    told = [f"✓ {result.output}   mode 0600"]
    if result.generated:
        told.append(f"  random values   {', '.join(result.generated)}")
    if result.copied:
        told.append(f"  as documented   {', '.join(result.copied)}")
    if result.kept:
        told.append(f"  kept as it was  {', '.join(result.kept)}")
    return "\n".join(told)


def markdown(listing: Listing) -> str:
    """Return the same as a table."""
    rows = [(f"`{one.name}`", " ".join(_state(one)).strip()) for one in listing.variables]
    return markdown_table(("variable", "set in"), rows)


def as_json(listing: Listing) -> dict[str, object]:
    """Return the same for machines."""
    variables = [
        {
            "name": one.name,
            "required": one.required,
            "documented": one.documented,
            "missing": one.missing,
            "set_in": list(one.places),
        }
        for one in listing.variables
    ]
    return {"schema": 1, "variables": variables, "missing": list(listing.missing)}


def _mark(variable: Variable) -> str:
    if variable.missing:
        return "✗"
    return "✓" if variable.places else "·"


def _state(variable: Variable) -> tuple[str, str]:
    note = "" if variable.documented else "not in .env.example"
    if variable.places:
        return ", ".join(variable.places), note
    return ("missing" if variable.required else "optional, not set"), note


def _verdict(listing: Listing) -> str:
    missing = listing.missing
    if not missing:
        return "nothing is missing"
    count = "1 variable is" if len(missing) == 1 else f"{len(missing)} variables are"
    merge = " --merge" if listing.has_file else ""
    undocumented = [one.name for one in listing.variables if one.missing and not one.documented]
    if not listing.has_example:
        return f"{count} missing · write NAME=value for each into .env"
    if undocumented:
        return (
            f"{count} missing · write {', '.join(undocumented)} into .env.example, then: "
            f"invoke env --init{merge}"
        )
    return f"{count} missing · values for them: invoke env --init{merge}"
