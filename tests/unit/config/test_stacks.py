"""The tables of stacks: what they give, and what is wrong with them, all at once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from hullwright.config.load import load, resolve
from hullwright.config.models import Check, Stack
from hullwright.config.problems import ConfigurationError
from hullwright.errors import ExitCode

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a repository with a compose file."""
    (tmp_path / "compose.yaml").write_text("services: {}", encoding="utf-8")
    return tmp_path


def stack(repository: Path, text: str) -> Stack:
    (repository / "hullwright.toml").write_text(text, encoding="utf-8")
    return load(repository, {}).stacks["default"]


def problems(repository: Path, text: str) -> list[str]:
    (repository / "hullwright.toml").write_text(text, encoding="utf-8")
    return [f"{problem}" for problem in resolve(repository, {}).problems]


def check(repository: Path, *lines: str) -> Check:
    found = stack(repository, "\n".join(["[[stacks.default.checks]]", *lines])).checks
    assert len(found) == 1
    return found[0]


def wrong(repository: Path, *lines: str) -> list[str]:
    place = "stacks.default.checks[0]."
    found = problems(repository, "\n".join(["[[stacks.default.checks]]", *lines]))
    assert all(each.startswith(place) for each in found), found
    return [each.removeprefix(place) for each in found]


def test_times_and_one_shots_of_services(repository: Path) -> None:
    found = stack(
        repository,
        '[stacks.default]\ntimeouts = { db = "30s", "my app" = "2m" }\none-shots = ["seed"]\n',
    )
    assert found.timeouts == {"db": timedelta(seconds=30), "my app": timedelta(minutes=2)}
    assert found.one_shots == ("seed",)
    assert found.checks == ()


def test_a_stack_that_says_nothing_has_no_checks_and_no_times(repository: Path) -> None:
    found = stack(repository, "[stacks.default]\n")
    assert (found.timeouts, found.one_shots, found.checks) == ({}, (), ())


def test_a_time_that_is_none_is_told_by_its_service(repository: Path) -> None:
    found = problems(repository, '[stacks.default]\ntimeouts = { db = "soon", app = 3 }')
    assert len(found) == 2
    assert found[0].startswith('stacks.default.timeouts.db: "soon"')
    assert found[1] == "stacks.default.timeouts.app: expected a string, got a whole number"


def test_a_request_with_all_of_its_keys(repository: Path) -> None:
    assert check(
        repository,
        'type = "http"\nservice = "web"\nname = "ready"\nport = 8080\npath = "/readyz"',
        'status = 204\nbody = "o[kK]"\nwithin = "20s"',
    ) == Check(
        "http",
        "web",
        name="ready",
        port=8080,
        path="/readyz",
        status=204,
        body="o[kK]",
        within=timedelta(seconds=20),
    )


def test_a_request_asks_for_the_root_and_expects_200(repository: Path) -> None:
    found = check(repository, 'type = "http"\nservice = "web"')
    assert (found.port, found.path, found.status, found.body) == (None, "/", 200, "")
    assert found.within is None


def test_commands_are_words_or_a_line(repository: Path) -> None:
    line = check(repository, 'type = "command"\nservice = "db"\ncommand = "psql -c \'select 1\'"')
    words = check(
        repository, 'type = "command"\nservice = "db"\ncommand = ["psql", "-c", "select 1"]'
    )
    assert line.command == words.command == ("psql", "-c", "select 1")


def test_migrations_have_both_commands_or_neither(repository: Path) -> None:
    assert check(repository, 'type = "migrations"\nservice = "app"').current == ()
    both = check(
        repository, 'type = "migrations"\nservice = "app"\ncurrent = "m now"\nhead = "m last"'
    )
    assert (both.current, both.head) == (("m", "now"), ("m", "last"))
    assert wrong(repository, 'type = "migrations"\nservice = "app"\nhead = "m last"') == [
        "current: it and `head` are compared, so both or neither are written"
    ]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("port = 0", "port: expected 1 to 65535, got 0"),
        ("port = 70000", "port: expected 1 to 65535, got 70000"),
        ('port = "80"', "port: expected a whole number, got a string"),
        (
            'path = "ready"',
            'path: "ready" is no path of a request: expected one that begins with /',
        ),
        ("status = -1", "status: expected a figure that is not negative, got -1"),
        ('body = "("', 'body: "(" is no regular expression: '),
        ('within = "soon"', 'within: "soon" is no'),
        ('command = "true"', "command: belongs to a check of type command"),
        ('contains = "x"', "contains: belongs to a check of type logs"),
        ("prot = 80", 'prot: unknown key — did you mean "port"?'),
    ],
)
def test_what_is_wrong_with_a_key_is_told(repository: Path, line: str, told: str) -> None:
    found = wrong(repository, 'type = "http"\nservice = "web"', line)
    assert len(found) == 1
    assert found[0].startswith(told)


def test_a_port_of_a_command_belongs_to_other_checks(repository: Path) -> None:
    assert wrong(repository, 'type = "command"\nservice = "web"\ncommand = "true"\nport = 80') == [
        "port: belongs to a check of type http or tcp"
    ]


def test_a_command_that_is_missing_or_empty_is_told(repository: Path) -> None:
    assert wrong(repository, 'type = "command"\nservice = "db"') == [
        "command: missing: it is what is run in the container"
    ]
    assert wrong(repository, 'type = "command"\nservice = "db"\ncommand = []') == [
        "command: expected a command, got nothing"
    ]


def test_all_problems_are_told_at_once_in_the_order_of_the_file(repository: Path) -> None:
    text = """\
[stacks.default]
timeouts = { db = "soon" }
one-shot = ["seed"]
[[stacks.default.checks]]
type = "htp"
service = "web"
[[stacks.default.checks]]
type = "tcp"
"""
    found = problems(repository, text)
    assert [each.partition(":")[0] for each in found] == [
        "stacks.default.timeouts.db",
        "stacks.default.one-shot",
        "stacks.default.checks[0].type",
        "stacks.default.checks[1].service",
    ]
    assert found[1].endswith('unknown key — did you mean "one-shots"?')
    assert found[2].endswith('unknown type "htp" — did you mean "http"?')
    assert found[3].endswith("missing")
    with pytest.raises(ConfigurationError) as raised:
        load(repository, {})
    assert raised.value.exit_code == ExitCode.USAGE
    assert len(raised.value.problems) == 4


def test_checks_that_are_no_list_of_tables_are_told(repository: Path) -> None:
    assert problems(repository, '[stacks.default]\nchecks = ["db"]') == [
        "stacks.default.checks[0]: expected a table, got a string"
    ]
    assert problems(repository, '[stacks.default]\nchecks = "db"') == [
        "stacks.default.checks: expected a list of tables, got a string"
    ]
