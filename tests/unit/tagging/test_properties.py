"""Any ref has a legal tag, and another one than any other ref."""

from __future__ import annotations

import random
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from hullwright.config.models import TagFlavor, TagRule
from hullwright.images import TAG
from hullwright.tagging import Clone, compute
from hullwright.tagging.forward import newer, taken
from hullwright.tagging.moment import formatted
from hullwright.tagging.rules import Giver
from hullwright.tagging.versions import pep440_of
from tagging import COMMITTED, clone, on

COUNT: Final = 100_000
NEVER: Final = TagFlavor(latest="false")
# What people and machines write into the names of branches, and what Git allows at all.
LETTERS: Final = "abcxyzABC0123456789-_./.-/äöüßéñ日本語🚀 &=+#@%!{}()'\"$,;<>|`\u00a0"
PARTS: Final = ("feature", "fix", "v1", "1.2", "v1.2.3", "latest", "release", "pr-15", "x" * 90)


def random_refs(count: int) -> list[str]:
    """Return distinct refs of a fixed random sequence, half of them near to each other."""
    chance = random.Random(4)  # noqa: S311  a fixed sequence is what is wanted
    refs: dict[str, None] = {}
    while len(refs) < count:
        words = chance.choices(PARTS, k=chance.randint(0, 2))
        words.append("".join(chance.choices(LETTERS, k=chance.randint(1, 14))))
        chance.shuffle(words)
        name = chance.choice("/-_.").join(words).strip("/")
        kind = "tags" if chance.random() < 0.3 else "heads"
        refs[f"refs/{kind}/{name or 'x'}"] = None
    return list(refs)


def test_a_hundred_thousand_refs_have_legal_and_distinct_tags() -> None:
    refs = random_refs(COUNT)
    clone = Clone(tuple(refs))
    tags: dict[str, str] = {}
    for ref in refs:
        tag = compute(on(ref, clone)).primary if ref.startswith("refs/heads/") else ""
        # Of a Git tag the version would be looked for among all others, for `latest` only.
        tag = tag or compute(on(ref, clone), flavor=NEVER).primary
        assert TAG.fullmatch(tag), ref
        assert tags.setdefault(tag, ref) == ref, f"{ref} and {tags[tag]} have {tag}"
    assert len(tags) == COUNT


@given(st.text(min_size=1, max_size=300), st.sampled_from(["heads", "tags"]))
@settings(deadline=None)
def test_any_text_has_a_legal_tag(name: str, kind: str) -> None:
    assert TAG.fullmatch(compute(on(f"refs/{kind}/{name}")).primary)


@given(st.text(max_size=12).filter(lambda text: not set(text) & {*"[]\\"}))
@settings(deadline=None)
def test_any_format_is_written(pattern: str) -> None:
    assert isinstance(formatted(COMMITTED, pattern), str)
    assert formatted(COMMITTED, f"[{pattern}]") == pattern


FIGURES = st.lists(st.integers(0, 3), min_size=1, max_size=4).map(
    lambda numbers: ".".join(map(str, numbers))
)
PEP440 = st.tuples(
    st.sampled_from(("", "v", "1!", "0!")),
    FIGURES,
    st.sampled_from(("", "", "", "rc1", ".post1", ".dev2", "+local", ".post1.dev1", "-odd!")),
).map("".join)


@given(PEP440, st.lists(PEP440, max_size=12), st.sampled_from(("{{major}}", "{{minor}}.{{major}}")))
def test_releases_above_by_figures_are_those_of_a_full_comparison(
    own: str, others: list[str], pattern: str
) -> None:
    rule = TagRule("pep440", attributes={"pattern": pattern})
    names = sorted({own, *others})
    giver = Giver(on(f"refs/tags/{own}", clone(*(f"t:{name}" for name in names))), TagFlavor())
    given_ = giver.give(rule)
    version = pep440_of(own)
    parsed = [(pep440_of(name), name) for name in names]
    full = [(v, n) for v, n in parsed if version and v and not v.is_prerelease and v > version]
    expected = [name for _, name in sorted(full)]
    above = newer(giver, rule, given_)
    assert [one.tag for one in above] == expected
    having = [name for name in expected if giver.of_name(rule, name) == given_.text]
    found = taken(giver, rule, given_, above)
    assert (found.tag if found else None) == (having[-1] if having else None)
