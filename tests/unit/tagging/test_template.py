"""Patterns and expressions."""

from __future__ import annotations

import pytest

from hullwright.errors import ExitCode, UsageError
from hullwright.tagging.template import Template
from tagging import COMMITTED, NOW

FIELDS = {"branch": "my/feature", "tag": "", "is_default_branch": "false", "sha": "1a2b3c4"}


@pytest.fixture
def template() -> Template:
    """A template as a context gives it."""
    github = {"github.ref": "refs/heads/my/feature", "github.event_name": "push"}
    return Template(FIELDS, {"date": NOW, "commit_date": COMMITTED}, github)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("plain", "plain"),
        ("a-{{branch}}-{{ sha }}", "a-my/feature-1a2b3c4"),
        ("{{{branch}}}{{~sha~}}", "my/feature1a2b3c4"),
        ("{{date 'YYYYMMDD'}}", "20260329"),
        ('{{date "YYYY" tz="Asia/Tokyo"}}', "2026"),
        ("{{date}} {{date YYYY}}", "2026-03-29T00:30:15Z 2026-03-29T00:30:15Z"),
        ("{{commit_date 'HH' tz='Europe/Berlin'}}", "00"),
        ("${{ github.event_name }}-x", "push-x"),
    ],
)
def test_a_pattern_is_filled(template: Template, pattern: str, expected: str) -> None:
    assert template.render(pattern) == expected


def test_letters_of_html_are_written_as_handlebars_does() -> None:
    template = Template({"branch": "a=b&c"}, {})
    assert template.render("{{branch}}") == "a&#x3D;b&amp;c"
    assert template.render("{{{branch}}}") == "a=b&c"


def test_what_was_used_and_what_is_missing_is_known(template: Template) -> None:
    assert template.render("{{branch}}{{verison}}") == "my/feature"
    assert template.used == {"branch", "verison"}
    assert template.missing == {"verison"}


@pytest.mark.parametrize(
    ("pattern", "what"),
    [
        ("{{#if branch}}x{{/if}}", "{{#if branch}} is not a field"),
        ("{{branch", "{{ is not closed in {{branch"),
        ("{{date 'YYYY' zone='UTC'}}", 'unknown attribute "zone" of date (known: tz)'),
        ("${{ github.actor }}", 'unknown field in an expression "github.actor"'),
    ],
)
def test_what_cannot_be_filled_is_told(template: Template, pattern: str, what: str) -> None:
    with pytest.raises(UsageError) as raised:
        template.render(pattern)
    assert raised.value.exit_code == ExitCode.USAGE
    assert what in str(raised.value)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("", True),
        ("true", True),
        ("False", False),
        ("{{is_default_branch}}", False),
        ("not is_default_branch", True),
        ("!{{is_default_branch}} && sha == '1a2b3c4'", True),
        ("{{branch}} == 'my/feature'", True),
        ("branch == 'MY/feature'", False),
        ("branch != 'main' and (tag == '' or is_default_branch)", True),
        ("startsWith(branch, 'my/') and endsWith(branch, 'feature')", True),
        ("contains(branch, '/') == true", True),
        ("${{ github.ref == format('refs/heads/{0}', 'MY/feature') }}", True),
        ("${{ !startsWith(github.ref, 'refs/tags/v0.') }}", True),
        ("${{ github.event_name == 'it''s' }}", False),
    ],
)
def test_an_expression_holds_or_does_not(
    template: Template, expression: str, *, expected: bool
) -> None:
    assert template.holds(expression) is expected


def test_the_name_of_a_branch_is_never_run_as_an_expression() -> None:
    template = Template({"branch": "x' == 'x' or 'a"}, {})
    assert not template.holds("{{branch}} == 'main'")


@pytest.mark.parametrize(
    ("expression", "what"),
    [
        ("branch", 'enable is "my/feature", which is neither true nor false'),
        ("brunch == 'x'", 'unknown field in an expression "brunch" — did you mean "branch"?'),
        ("starts(branch, 'x')", 'unknown function in an expression "starts"'),
        ("startsWith(branch)", "does not take these 1 arguments"),
        ("branch ==", "it ends too early"),
        ("(branch == 'x'", "a closing parenthesis is missing"),
        ("branch == 'x' 'y'", '"y" cannot stand there'),
        ("branch = 'x'", '"=" cannot stand there'),
    ],
)
def test_an_expression_that_cannot_be_read_is_told(
    template: Template, expression: str, what: str
) -> None:
    with pytest.raises(UsageError) as raised:
        template.holds(expression)
    assert raised.value.exit_code == ExitCode.USAGE
    assert what in str(raised.value)
