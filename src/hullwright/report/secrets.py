"""What a decrypt did, without any value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullwright.report.table import markdown as markdown_table

if TYPE_CHECKING:
    from hullwright.secrets import Decrypted


def text(result: Decrypted) -> str:
    """Return what was written, its names, and the names that the file before had besides."""
    origin = f"of {result.environment} from {result.source}"
    lines = [
        f"✓ {result.output}   {_count(result)} {origin}, mode 0600",
        f"  {', '.join(result.names)}",
    ]
    if result.dropped:
        lines.append(f"  no longer in it: {', '.join(result.dropped)}")
    return "\n".join(line.rstrip() for line in lines if line.strip())


def kept_quotes(result: Decrypted) -> str:
    """Return what to know of values in quotes, which sops does not take off; empty without any."""
    if not result.quoted:
        return ""
    names = ", ".join(result.quoted)
    return f"{result.source}: the quotes around {names} are part of the value for SOPS"


def markdown(result: Decrypted) -> str:
    """Return the same as a table."""
    rows = [
        ("written", f"`{result.output}`"),
        ("from", f"`{result.source}`"),
        ("environment", result.environment),
        ("form", result.form),
        ("names", ", ".join(f"`{name}`" for name in result.names)),
    ]
    return markdown_table(("what", "value"), rows)


def as_json(result: Decrypted) -> dict[str, object]:
    """Return the same for machines."""
    return {
        "schema": 1,
        "environment": result.environment,
        "source": result.source,
        "output": result.output,
        "form": result.form,
        "variables": list(result.names),
        "dropped": list(result.dropped),
        "quoted": list(result.quoted),
    }


def _count(result: Decrypted) -> str:
    match result.form, len(result.names):
        case "as it is", _:
            return f"{len(result.content)} bytes"
        case "dotenv", 1:
            return "1 variable"
        case "dotenv", count:
            return f"{count} variables"
        case form, 1:
            return f"1 value as {form}"
        case form, count:
            return f"{count} values as {form}"
