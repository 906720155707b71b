"""Rules in the notation of metadata-action."""

from __future__ import annotations

import pytest

from hullwright.config.models import TagFlavor, TagRule
from hullwright.errors import ExitCode, UsageError
from hullwright.tagging import parse, written

BLOCK = r"""
# copied from a workflow
images: |
  example/app
tags: |
  type=semver,pattern={{version}}
  type=match,"pattern=^\d+-RC\d{1,2}",group=0
  type=raw,plain,priority=5,prefix=,enable=${{ github.ref == format('refs/heads/{0}', 'x') }}
  other
  type=schedule,pattern={{date 'dddd, MMMM' tz='UTC'}}
flavor: |
  latest=true
  prefix=a-,onlatest=true
  suffix=-z
"""


def test_a_block_of_a_workflow_is_read_as_it_is() -> None:
    rules, flavor = parse(BLOCK)
    github = "${{ github.ref == format('refs/heads/{0}', 'x') }}"
    assert rules == (
        TagRule("semver", attributes={"pattern": "{{version}}"}),
        TagRule("match", attributes={"pattern": r"^\d+-RC\d{1,2}", "group": "0"}),
        TagRule("raw", 5, github, {"value": "plain", "prefix": ""}),
        TagRule("raw", attributes={"value": "other"}),
        TagRule("schedule", attributes={"pattern": "{{date 'dddd, MMMM' tz='UTC'}}"}),
    )
    assert flavor == TagFlavor("true", "a-", "-z", prefix_on_latest=True)


STEP = """
- name: Docker meta
  id: meta
  uses: docker/metadata-action@v5
  with:
    images: name/app
    tags: |
      type=semver,pattern={{version}}
      - type=sha
    flavor: latest=false
    labels: |
      a=b
"""


def test_a_whole_step_gives_its_rules_only() -> None:
    rules, flavor = parse(STEP)
    assert [rule.type for rule in rules] == ["semver", "sha"]
    assert flavor == TagFlavor("false")
    assert [rule.type for rule in parse("tags: type=sha")[0]] == ["sha"]


@pytest.mark.parametrize("line", ["id: meta", "- name: Docker meta", "with:"])
def test_a_key_of_a_workflow_is_no_raw_tag(line: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse(f"type=sha\n{line}\n", "tags.txt")
    assert raised.value.exit_code == ExitCode.USAGE
    assert f"tags.txt, line 2: {line.removeprefix('- ')} is a key of a workflow" in str(
        raised.value
    )
    assert "the lines under `tags: |`" in str(raised.value)


def test_rules_are_written_as_they_are_read() -> None:
    rules, _ = parse(BLOCK)
    assert parse("\n".join(written(rule) for rule in rules))[0] == rules


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("type=semver2", 'unknown type "semver2" — did you mean "semver"?'),
        ("type=semver", "pattern: missing: a rule of type semver is made of it"),
        ("type=ref,event=pull", 'event: unknown event "pull"'),
        ("type=ref", "event: missing"),
        ("type=raw", "value: missing"),
        ("type=sha,format=longest", 'format: unknown format "longest"'),
        ("type=match,pattern=a,group=x", "group: expected the number of a group"),
        ("type=raw,valu=x", 'unknown attribute "valu" — did you mean "value"?'),
        ("type=raw,value=x,priority=high", 'priority: expected a whole number, got "high"'),
        ('type=raw,"value=x', "not a line of CSV"),
    ],
)
def test_a_wrong_line_is_told_with_its_number(line: str, what: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse(f"type=sha\n{line}\n", "tags.txt")
    assert raised.value.exit_code == ExitCode.USAGE
    assert f"tags.txt, line 2: {what}" in str(raised.value)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("latest=sometimes", 'unknown latest "sometimes"'),
        ("onlatest=true", "behind prefix= or suffix="),
        ("prefix=a,onlatest=yes", "expected true or false"),
        ("label=x", 'unknown flavor "label"'),
    ],
)
def test_a_wrong_flavor_is_told(line: str, what: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse(f"flavor: |\n  {line}")
    assert what in str(raised.value)
