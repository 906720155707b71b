"""What a decrypt did, without any value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullwright.report.table import markdown as markdown_table

if TYPE_CHECKING:
    from hullwright.secrets import Decrypted


def text(result: Decrypted) -> str:
    """Return what was written, its names, and the names that the file before had besides."""
    count = len(result.names)
    variables = "1 variable" if count == 1 else f"{count} variables"
    lines = [
        f"✓ {result.output}   {variables} of {result.environment} from {result.source}, mode 0600",
        f"  {', '.join(result.names)}",
    ]
    if result.dropped:
        lines.append(f"  no longer in it: {', '.join(result.dropped)}")
    return "\n".join(line.rstrip() for line in lines)


def markdown(result: Decrypted) -> str:
    """Return the same as a table."""
    rows = [
        ("written", f"`{result.output}`"),
        ("from", f"`{result.source}`"),
        ("environment", result.environment),
        ("variables", ", ".join(f"`{name}`" for name in result.names)),
    ]
    return markdown_table(("what", "value"), rows)


def as_json(result: Decrypted) -> dict[str, object]:
    """Return the same for machines."""
    return {
        "schema": 1,
        "environment": result.environment,
        "source": result.source,
        "output": result.output,
        "variables": list(result.names),
        "dropped": list(result.dropped),
    }
