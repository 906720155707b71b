"""Patterns of JavaScript; what is expected was said by Node."""

from __future__ import annotations

import pytest

from hullwright.errors import ExitCode, UsageError
from hullwright.tagging.javascript import matcher


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        (r"\d.\d", "v1.2.3", ["1.2"]),
        (r"v(.*)", "v1.2.3", ["v1.2.3", "1.2.3"]),
        (r"/^V(\d)/i", "v1", ["v1", "1"]),
        (r"/\d/g", "v1.2.3", ["1", "2", "3"]),
        (r"/^v/g", "p1", None),
        (r"/\d/y", "v1", None),
        (r"(?<a>\d)\k<a>", "11", ["11", "1"]),
        (r"(x)(y)?", "x", ["x", "x", None]),
        # A group that took no part is empty text there, and a failure in Python.
        (r"(a)?b\1", "b", ["b", None]),
        (r"a{,2}", "aa{,2}", ["a{,2}"]),
        (r"[^]", "\n", ["\n"]),
        (r"[]", "a", None),
        (r"a.c", "a\u2028c", None),
        (r"/a.c/s", "a\nc", ["a\nc"]),
        (r"b$", "b\n", None),
        (r"/^b$/m", "a\u2028b", ["b"]),
        (r"\w+", "éa", ["a"]),
        (r"\d", "٣", None),
        (r"a\bé", "aé", ["aé"]),
        (r"\s", "\ufeff", ["\ufeff"]),
        (r"[\w-z]+", "a-z", ["a-z"]),
        (r"[a&&b]+", "&&", ["&&"]),
        (r"[[a]+", "[a", ["[a"]),
        (r"\A", "A", ["A"]),
        (r"\/v", "/v", ["/v"]),
        (r"/\u{76}/u", "v", ["v"]),
        (r"[\S]+", "a b", ["a"]),
        (r"[\b]", "\b", ["\b"]),
    ],
)
def test_it_finds_the_same(pattern: str, text: str, expected: list[str | None] | None) -> None:
    assert matcher(pattern).groups(text) == expected


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("/a/q", '"q" are no flags'),
        ("/a/gg", '"gg" are no flags'),
        (r"/\p{L}/u", r"\p{…} has no counterpart in Python"),
        ("(?P<n>a)", '"(?P<" opens no group'),
        ("(?i:v)", "opens no group"),
        ("a++", 'nothing stands before "+"'),
        ("*a", 'nothing stands before "*"'),
        ("[a", "a set of characters is not closed"),
        ("(a", "Python has no expression that finds the same"),
        ("[z-a]", "bad character range"),
        (r"\1(a)", r"\1 refers to no group before it"),
        ("a\\", "it ends with a backslash"),
        ("(a+)+$", "(a+)+ repeats a repetition"),
        (r"v(?:\d*)*-", r"(?:\d*)* repeats a repetition"),
        ("([a-z]+){2,}x", "([a-z]+){2,} repeats a repetition"),
        (r"\cA", r"\c has no counterpart"),
    ],
)
def test_what_cannot_be_translated_is_refused_with_the_reason(pattern: str, why: str) -> None:
    with pytest.raises(UsageError) as raised:
        matcher(pattern)
    assert raised.value.exit_code == ExitCode.USAGE
    assert f'the pattern "{pattern}" cannot be used' in str(raised.value)
    assert why in str(raised.value)
