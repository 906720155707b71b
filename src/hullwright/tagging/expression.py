"""The expressions of `enable`: comparisons and logic over the fields of a context.

A grammar of its own, so that nothing that a branch is called is ever run as code. It also reads
what GitHub's `${{ … }}` says of the same fields.
Source: https://docs.github.com/actions/reference/workflows-and-actions/expressions
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hullwright.errors import UsageError, unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Value = str | bool

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<field>\{\{.*?\}\})|'(?P<single>(?:[^']|'')*)'|\"(?P<double>[^\"]*)\""
    r"|(?P<sign>==|!=|&&|\|\||[!(),])|(?P<name>[A-Za-z_][\w.-]*)|(?P<figure>\d+)|(?P<odd>\S))"
)
_SHOWN: Final = 200
_DEEPEST: Final = 50
_WORDS: Final = {"and": "&&", "or": "||", "not": "!"}


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str


@dataclass
class _Reader:
    """One expression while it is evaluated, from left to right."""

    source: str
    tokens: list[_Token]
    fields: Mapping[str, Value]
    render: Callable[[str], str]
    ignore_case: bool
    at: int = 0
    depth: int = 0

    def whole(self) -> Value:
        value = self._either()
        if self.at < len(self.tokens):
            raise self._error(f'"{self.tokens[self.at].text}" cannot stand there')
        return value

    def _either(self) -> Value:
        value = self._both()
        while self._takes("||"):
            other = self._both()
            value = value if truth(value) else other
        return value

    def _both(self) -> Value:
        value = self._equality()
        while self._takes("&&"):
            other = self._equality()
            value = other if truth(value) else value
        return value

    def _equality(self) -> Value:
        value = self._negation()
        for sign in ("==", "!="):
            if self._takes(sign):
                same = self._plain(value) == self._plain(self._negation())
                return same is (sign == "==")
        return value

    def _negation(self) -> Value:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise self._error(f"more than {_DEEPEST} levels of it are nested")
        value = not truth(self._negation()) if self._takes("!") else self._operand()
        self.depth -= 1
        return value

    def _operand(self) -> Value:
        token = self._next()
        match token.kind:
            case "text":
                return token.text
            case "field":
                return as_value(self.render(token.text))
            case "name":
                return self._called(token.text) if self._takes("(") else self._named(token.text)
        if token.text == "(":
            value = self._either()
            self._close()
            return value
        raise self._error(f'"{token.text}" cannot stand there')

    def _named(self, name: str) -> Value:
        if name.lower() in {"true", "false"}:
            return name.lower() == "true"
        if name not in self.fields:
            raise unknown("field in an expression", name, self.fields)
        return self.fields[name]

    def _called(self, name: str) -> Value:
        arguments: list[Value] = []
        while not self._takes(")"):
            arguments.append(self._either())
            if not self._takes(","):
                self._close()
                break
        function = _FUNCTIONS.get(name.lower())
        if function is None:
            raise unknown("function in an expression", name, _FUNCTIONS)
        words = [self._plain(argument) for argument in arguments]
        if name.lower() == "format":
            words = [_text(argument) for argument in arguments]
        try:
            return function(*words)
        except (TypeError, IndexError):
            raise self._error(f"{name} does not take these {len(words)} arguments") from None

    def _plain(self, value: Value) -> str:
        return _text(value).casefold() if self.ignore_case else _text(value)

    def _takes(self, sign: str) -> bool:
        if self.at < len(self.tokens) and self.tokens[self.at] == _Token("sign", sign):
            self.at += 1
            return True
        return False

    def _close(self) -> None:
        if not self._takes(")"):
            raise self._error("a closing parenthesis is missing")

    def _next(self) -> _Token:
        if self.at == len(self.tokens):
            raise self._error("it ends too early")
        self.at += 1
        return self.tokens[self.at - 1]

    def _error(self, why: str) -> UsageError:
        return UsageError(f"the expression cannot be read: {self.source[:_SHOWN]}", why=why)


def evaluate(
    source: str,
    fields: Mapping[str, Value],
    render: Callable[[str], str],
    *,
    ignore_case: bool = False,
) -> Value:
    """Return the value of an expression.

    Args:
        source: `==`, `!=`, `and`, `or`, `not` (also `&&`, `||`, `!`), parentheses, texts in
            quotes, names of fields, `{{…}}`, and startsWith, endsWith, contains and format.
        fields: what a bare name stands for.
        render: gives the text of one `{{…}}`.
        ignore_case: whether comparisons ignore case, as GitHub's do.

    Raises:
        UsageError: it cannot be read, or names what is not known.
    """
    return _Reader(source, _tokens(source), fields, render, ignore_case).whole()


def truth(value: Value) -> bool:
    """Return whether a value counts as true: a text does unless it is empty or says `false`."""
    return value if isinstance(value, bool) else value.lower() not in {"", "false"}


def as_value(text: str) -> Value:
    """Return a text as the truth value that it says, or as it is."""
    return {"true": True, "false": False}.get(text, text)


def _tokens(source: str) -> list[_Token]:
    found = []
    for match in _TOKEN.finditer(source):
        kind, text = match.lastgroup or "odd", match[match.lastgroup or 0]
        if kind in {"single", "double", "figure"}:
            found.append(_Token("text", text.replace("''", "'") if kind == "single" else text))
        elif kind == "name" and text in _WORDS:
            found.append(_Token("sign", _WORDS[text]))
        else:
            found.append(_Token(kind, text))
    return found


def _text(value: Value) -> str:
    return value if isinstance(value, str) else str(value).lower()


def _formatted(pattern: str, *values: str) -> str:
    return re.sub(r"\{(\d+)\}", lambda found: values[int(found[1])], pattern)


_FUNCTIONS: Final[Mapping[str, Callable[..., Value]]] = {
    "startswith": lambda text, start: text.startswith(start),
    "endswith": lambda text, end: text.endswith(end),
    "contains": lambda text, part: part in text,
    "format": _formatted,
}
