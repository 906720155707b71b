"""Patterns with `{{…}}`: fields and dates, as people write them for metadata-action.

Source: https://handlebarsjs.com/guide/expressions.html; blocks and partials are no part of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from hullwright.errors import UsageError, suggestion, unknown
from hullwright.tagging.expression import evaluate
from hullwright.tagging.moment import formatted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_PLACE: Final = re.compile(
    r"\$\{\{(?P<github>.*?)\}\}|\{\{\{(?P<bare>.*?)\}\}\}|\{\{~?(?P<inner>.*?)~?\}\}", re.DOTALL
)
_WORD: Final = re.compile(
    r"\s*(?:(?P<key>[\w-]+)\s*=\s*)?(?:'(?P<single>[^']*)'|\"(?P<double>[^\"]*)\"|(?P<word>[^\s'\"]+))"
)
# What Handlebars writes in place of letters that mean something in HTML.
_ESCAPES: Final = str.maketrans(
    {
        "&": "&amp;",
        "<": "&lt;",
        ">": "&gt;",
        '"': "&quot;",
        "'": "&#x27;",
        "`": "&#x60;",
        "=": "&#x3D;",
    }
)


@dataclass
class Template:
    """What patterns are filled with.

    Attributes:
        fields: the text of each field.
        dates: the moment of each date.
        github: the fields of GitHub's own `${{ … }}`.
        used: the fields that a pattern asked for, which is noted while it is filled.
        missing: those of them that do not exist.
    """

    fields: Mapping[str, str]
    dates: Mapping[str, datetime]
    github: Mapping[str, str] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)

    def render(self, pattern: str) -> str:
        """Return a pattern with everything filled in.

        Raises:
            UsageError: a place cannot be read.
        """
        if "{{" in _PLACE.sub("", pattern):
            raise UsageError(f"{{{{ is not closed in {pattern}", next_step="close it with }}")
        return _PLACE.sub(self._filled, pattern)

    def holds(self, expression: str) -> bool:
        """Return whether an `enable` holds; an empty one always does.

        Raises:
            UsageError: it is neither true nor false, or cannot be read.
        """
        bare = expression.strip()
        if not bare:
            return True
        github = re.fullmatch(r"\$\{\{(.*)\}\}", bare, re.DOTALL)
        if github and "${{" not in github[1]:
            value = self._github(github[1])
        else:
            value = evaluate(bare, self._known(), self.render)
        if isinstance(value, str):
            value = value.lower() if value.lower() in {"true", "false"} else value
            if value not in {"true", "false"}:
                for name in sorted(self.missing):
                    raise unknown("field in enable", name, self.fields)
                raise UsageError(f'enable is "{value}", which is neither true nor false')
            return value == "true"
        return value

    def _known(self) -> dict[str, str | bool]:
        return {
            name: text == "true" if name.endswith("_default_branch") else text
            for name, text in self.fields.items()
        }

    def _github(self, expression: str) -> str | bool:
        return evaluate(expression, self.github, self.render, ignore_case=True)

    def _filled(self, place: re.Match[str]) -> str:
        if place["github"] is not None:
            value = self._github(place["github"])
            return value if isinstance(value, str) else str(value).lower()
        if place["bare"] is not None:
            return self._value(place["bare"])
        return self._value(place["inner"]).translate(_ESCAPES)

    def _value(self, inner: str) -> str:
        if inner.lstrip()[:1] in {*"#/^>&!"}:
            raise UsageError(
                f"{{{{{inner}}}}} is not a field",
                why="blocks, partials and comments are no part of a tag's pattern",
                next_step="a rule for each case, with enable=…",
            )
        name, *words = _WORD.finditer(inner) if inner.strip() else (None,)
        if name is None:
            raise UsageError(
                f"{{{{{inner}}}}} is not a field", why="it names none", next_step="{{version}}"
            )
        self.used.add(name["word"] or "")
        if name["word"] in self.dates:
            return self._date(name["word"], words)
        if name["word"] not in self.fields:
            self.missing.add(name["word"] or inner.strip())
        return self.fields.get(name["word"], "")

    def _date(self, name: str, words: list[re.Match[str]]) -> str:
        zone, pattern = "UTC", None
        for word in words:
            # A format without quotes names a field in Handlebars, and there is none of its name.
            quoted = word["single"] if word["single"] is not None else word["double"]
            if word["key"] == "tz":
                zone = quoted or word["word"]
            elif word["key"]:
                near = suggestion(word["key"], ("tz",)) or " (known: tz)"
                raise UsageError(f'unknown attribute "{word["key"]}" of {name}{near}')
            elif quoted is not None:
                pattern = quoted
        return formatted(self.dates[name], pattern, zone)
