"""What must hold of a stack: what it is called, what is refused, and how commands are judged."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any, Final

import pytest

from hullwright.config.models import Check, Stack
from hullwright.errors import ExitCode, UnavailableError, UsageError
from hullwright.outcome import Result
from hullwright.secret import Secret
from hullwright.stack import checking, checks
from hullwright.stack.checks import Checked, expected_of, name_of
from hullwright.tools import reach
from hullwright.tools.engine import Container
from replaying import Replay, workspace

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta
    from pathlib import Path

    from hullwright.workspace import Workspace

MIGRATIONS: Final = Check("migrations", "app")
UNKNOWN: Final = "in the database, and unknown to the program"


def raw(container: str = "c1", *, state: str = "running", code: int = 0) -> dict[str, Any]:
    return {
        "Id": container,
        "Name": f"/shop-{container}",
        "State": {"Status": state, "Pid": 0, "ExitCode": code},
        "Config": {"Labels": {"com.docker.compose.service": "app"}},
        "HostConfig": {"LogConfig": {"Type": "none"}},
    }


def told(
    root: Path, results: Mapping[tuple[str, ...], Result], *containers: dict[str, Any]
) -> Workspace:
    """Return a workspace whose engine answers with these containers, and with `results`."""
    inspected = Result((), 0, json.dumps(list(containers or (raw(),))))
    return workspace(
        root,
        runner=Replay({}, results={("docker", "container", "inspect"): inspected, **results}),
    )


def execs(**answers: Result) -> dict[tuple[str, ...], Result]:
    """Return what commands in the container answer, by their first word."""
    return {("docker", "exec", "c1", word): answer for word, answer in answers.items()}


def seen_of(root: Path, check: Check, results: Mapping[tuple[str, ...], Result]) -> str:
    ws = told(root, results)
    (seen,) = reach.look(ws.runner, ["c1"])
    return checking.look(ws, check, seen, 1.0)


@pytest.mark.parametrize(
    ("check", "name", "expected"),
    [
        (
            Check("http", "web", path="/readyz", port=80, body="ok"),
            "GET /readyz",
            "GET /readyz on port 80 answers 200, a body that matches ok",
        ),
        (Check("tcp", "db"), "its port", "a connection"),
        (Check("tcp", "db", port=5432), "port 5432", "a connection on port 5432"),
        (
            Check("command", "db", command=("psql", "-c", "select 1")),
            "psql -c 'select 1'",
            "psql -c 'select 1' ends with 0 in its container",
        ),
        (Check("logs", "app"), "logs are visible", "a line of its log"),
        (
            Check("logs", "app", contains="ready"),
            "logs match ready",
            "a line of its log that matches ready",
        ),
        (
            MIGRATIONS,
            "migrations are at head",
            "alembic current names the revisions of alembic heads",
        ),
    ],
)
def test_a_check_says_what_it_is_and_what_it_expects(
    check: Check, name: str, expected: str
) -> None:
    assert name_of(check) == name
    assert expected_of(check) == expected


def test_a_check_has_the_name_that_is_written_and_a_long_one_is_cut() -> None:
    assert name_of(Check("tcp", "db", name="the database answers")) == "the database answers"
    assert len(name_of(Check("command", "db", command=("x" * 200,)))) == 60


def test_every_service_that_the_files_do_not_have_is_told_at_once(
    one_minute: timedelta,
) -> None:
    stack = Stack(
        "default",
        (),
        timeouts={"dbs": one_minute, "db": one_minute},
        one_shots=("seed", "db"),
        checks=(Check("tcp", "db"), Check("http", "wep")),
    )
    with pytest.raises(UsageError) as raised:
        checks.refuse_unknown(stack, ["web", "db"])
    assert raised.value.exit_code == ExitCode.USAGE
    assert raised.value.why == [
        ("stacks.default.timeouts.dbs", 'unknown service "dbs" — did you mean "db"?'),
        ("stacks.default.one-shots[0]", 'unknown service "seed"'),
        ("stacks.default.checks[1].service", 'unknown service "wep" — did you mean "web"?'),
        ("known", "db, web"),
    ]
    checks.refuse_unknown(Stack("default", (), checks=(Check("tcp", "db"),)), ["db"])


@pytest.fixture
def one_minute() -> timedelta:
    """Return a time."""
    from datetime import timedelta

    return timedelta(minutes=1)


def test_a_stack_without_checks_cannot_be_checked() -> None:
    with pytest.raises(UsageError, match='stack "default" has no checks'):
        checks.refuse_none(Stack("default", ()))


def test_a_command_holds_where_it_ends_with_0(tmp_path: Path) -> None:
    check = Check("command", "app", command=("ready",))
    assert seen_of(tmp_path, check, execs(ready=Result((), 0, "noise"))) == ""


def test_a_command_that_fails_shows_its_last_lines_without_what_steers_a_terminal(
    tmp_path: Path,
) -> None:
    said = "".join(f"line {number}\n" for number in range(9))
    answer = Result((), 3, said, "\x1b[31mno such table\x1b[0m\n")
    found = seen_of(tmp_path, Check("command", "app", command=("ready",)), execs(ready=answer))
    assert found.splitlines()[0] == "it ended with 3"
    assert found.splitlines()[1:] == [
        *("line 5", "line 6", "line 7", "line 8", "[31mno such table[0m")
    ]


@pytest.mark.parametrize(
    ("current", "head", "seen"),
    [
        ("ae10 (head)\n", "ae10 (head)\n", ""),
        ("b2\na1 (head)\n", "a1 (head)\nb2 (head)\n", ""),
        ("", "ae10 (head)\n", "missing in the database: ae10"),
        ("a1\n", "b2\n", f"missing in the database: b2; {UNKNOWN}: a1"),
        ("a1\nz9\n", "a1\n", f"{UNKNOWN}: z9"),
        ("", "\n", "alembic heads names no revision"),
    ],
)
def test_revisions_are_compared_as_sets(tmp_path: Path, current: str, head: str, seen: str) -> None:
    noise = "INFO  [alembic.runtime.migration] Context impl PostgresqlImpl.\n"
    answers: dict[tuple[str, ...], Result] = {
        ("docker", "exec", "c1", "alembic", "current"): Result((), 0, current, noise),
        ("docker", "exec", "c1", "alembic", "heads"): Result((), 0, head, noise),
    }
    assert seen_of(tmp_path, MIGRATIONS, answers) == seen


def test_migrations_whose_command_fails_name_the_command(tmp_path: Path) -> None:
    check = Check("migrations", "app", current=("m", "now"), head=("m", "last"))
    answer = Result((), 127, "", "m: not found")
    found = seen_of(tmp_path, check, execs(m=answer))
    assert found == "m now: it ended with 127\nm: not found"


@pytest.mark.parametrize(
    ("contains", "said", "seen"),
    [
        ("", "ready\n", ""),
        ("^re.dy$", "starting\nready\n", ""),
        ("", "", "it wrote no line that can be read"),
        ("", "\n \ufffd\ufffd\n", "it wrote no line that can be read"),
        ("ready", "starting\nwaiting\n", "none of its last 2 lines matches"),
    ],
)
def test_logs_are_visible(tmp_path: Path, contains: str, said: str, seen: str) -> None:
    check = Check("logs", "app", contains=contains)
    # Which stream it is does not matter.
    for answer in (Result((), 0, said), Result((), 0, "", said)):
        assert seen_of(tmp_path, check, {("docker", "logs"): answer}) == seen


def test_a_log_that_cannot_be_read_names_its_driver(tmp_path: Path) -> None:
    refused = "Error response from daemon: configured logging driver does not support reading"
    answer = Result((), 1, "", refused)
    assert seen_of(tmp_path, Check("logs", "app"), {("docker", "logs"): answer}) == (
        f'its log goes to the driver "none", and cannot be read\n{refused}'
    )


def test_what_does_not_run_is_told_with_its_end(tmp_path: Path) -> None:
    ws = told(tmp_path, {}, raw(state="exited", code=3))
    (seen,) = reach.look(ws.runner, ["c1"])
    for check in (Check("http", "app"), Check("tcp", "app"), Check("command", "app")):
        assert checking.look(ws, check, seen, 1.0) == (
            "shop-c1 does not run: it is exited, it ended with 3"
        )


def test_it_is_tried_again_until_it_holds(tmp_path: Path) -> None:
    class Later(Replay):
        """A runner whose command holds when it is run for the third time."""

        tries = 0

        def run(self, *argv: str, **_: Any) -> Result:
            self.tries += 1
            return Result(argv, 0 if self.tries == 3 else 1)

    inspected = Result((), 0, json.dumps([raw()]))
    runner = Later({}, results={("docker", "container", "inspect"): inspected})
    ws = workspace(tmp_path, runner=runner)
    (checked,) = checks.run(ws, [Check("command", "app", command=("ready",))], [container()])
    assert (checked.status, checked.told, runner.tries) == ("held", "", 3)


def test_what_never_holds_fails_when_its_time_is_over_and_secrets_are_masked(
    tmp_path: Path, one_minute: timedelta
) -> None:
    answer = Result((), 1, "", "password hunter2-hunter2 refused")
    ws = told(tmp_path, execs(ready=answer))
    ws.runner.secrets.add(Secret("hunter2-hunter2"))
    check = Check("command", "app", command=("ready",), within=one_minute / 300)
    (checked,) = checks.run(ws, [check], [container()])
    assert checked.status == "failed"
    assert checked.told == "it ended with 1\npassword *** refused"
    assert checked.took_s < 30


def test_a_try_that_is_cut_short_does_not_hide_what_was_seen_before(
    tmp_path: Path, one_minute: timedelta
) -> None:
    class Slower(Replay):
        """A runner whose command answers once, and then takes for ever."""

        tries = 0

        def run(self, *argv: str, timeout_s: float | None = None, **_: Any) -> Result:
            self.tries += 1
            if self.tries == 1:
                return Result(argv, 1, "", "no such table")
            assert timeout_s is not None
            threading.Event().wait(timeout_s)
            raise UnavailableError("docker did not answer")

    inspected = Result((), 0, json.dumps([raw()]))
    runner = Slower({}, results={("docker", "container", "inspect"): inspected})
    check = Check("command", "app", command=("ready",), within=one_minute / 120)
    (checked,) = checks.run(workspace(tmp_path, runner=runner), [check], [container()])
    assert (runner.tries, checked.told) == (2, "it ended with 1\nno such table")


def test_it_holds_of_a_service_when_it_holds_of_each_container(
    tmp_path: Path, one_minute: timedelta
) -> None:
    answers: dict[tuple[str, ...], Result] = {
        ("docker", "exec", "c1"): Result((), 0),
        ("docker", "exec", "c2"): Result((), 5),
    }
    ws = told(tmp_path, answers, raw("c1"), raw("c2"))
    check = Check("command", "app", command=("ready",), within=one_minute / 600)
    (checked,) = checks.run(ws, [check], [container("c1"), container("c2")])
    assert checked.told == "shop-c2: it ended with 5\n(it printed nothing)"


def test_a_service_without_a_container_does_not_hold(tmp_path: Path, one_minute: timedelta) -> None:
    check = Check("tcp", "app", within=one_minute / 600)
    assert [each.told for each in checks.run(told(tmp_path, {}), [check], [])] == [
        "it has no container"
    ]
    assert checks.run(told(tmp_path, {}), [], []) == ()


def test_a_failure_says_what_was_expected_and_seen_and_shows_the_last_lines(
    tmp_path: Path,
) -> None:
    logs: dict[tuple[str, ...], Result] = {("docker", "logs"): Result((), 0, "one\ntwo\n")}
    failed = Checked("app", "GET /", "failed", 5.0, "status 503", "GET / answers 200")
    found = checks.failure(
        told(tmp_path, logs),
        failed,
        [container()],
        cause="check-failed",
        sentence="it does not hold",
        advice="mend it",
        stack="b",
    )
    assert found.facts == (
        ("expected", "GET / answers 200"),
        ("seen", "status 503"),
        ("tried", "for 5.0 s"),
        ("try", "mend it"),
        ("logs", "invoke logs --service app --stack b   (the last 2 follow)"),
    )
    assert (found.service, found.cause, found.logs) == ("app", "check-failed", ("one", "two"))


def container(name: str = "c1") -> Container:
    from hullwright.tools.engine import parse_container

    return parse_container(raw(name))
