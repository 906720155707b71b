"""What last lines say of a cause, and when they say nothing: a line is evidence, not proof."""

from __future__ import annotations

import pytest

from hullwright.stack import symptoms
from hullwright.tools.details import LogLine

END = 100.0


def written(*texts: str, each_s: float = 0.01) -> list[LogLine]:
    """Return lines that were written just before the end, the last one 10 ms before."""
    return [
        LogLine(END - each_s * (len(texts) - number), text) for number, text in enumerate(texts)
    ]


@pytest.mark.parametrize(
    ("line", "kind", "subject"),
    [
        ("curl: (6) Could not resolve host: databse", "name-unresolvable", "databse"),
        (
            'psql: could not translate host name "databse" to address: Name or service not known',
            "name-unresolvable",
            "databse",
        ),
        ("ping: databse: Name or service not known", "name-unresolvable", "databse"),
        ("nc: bad address 'databse'", "name-unresolvable", "databse"),
        ("Error: getaddrinfo ENOTFOUND cache", "name-unresolvable", "cache"),
        (
            "dial tcp: lookup api.internal on 127.0.0.11:53: no such host",
            "name-unresolvable",
            "api.internal",
        ),
        (
            "Could not connect to Redis at redis:6379: Name or service not known",
            "name-unresolvable",
            "redis",
        ),
        ("java.net.UnknownHostException: kafka-1", "name-unresolvable", "kafka-1"),
        (
            'nginx: [emerg] host not found in upstream "api" in /etc/nginx/nginx.conf:3',
            "name-unresolvable",
            "api",
        ),
        ("socket.gaierror: [Errno -2] Name or service not known", "name-unresolvable", ""),
        ("mkdir: can't create directory '/data/x': Permission denied", "permission-denied",
         "/data/x"),
        ("PermissionError: [Errno 13] Permission denied: '/data'", "permission-denied", "/data"),
        ("open /var/lib/app/db.lock: permission denied", "permission-denied",
         "/var/lib/app/db.lock"),
        ("chown: /data: Operation not permitted", "permission-denied", "/data"),
        ("OSError: [Errno 30] Read-only file system: '/app/run.pid'", "read-only", "/app/run.pid"),
        ("Error: EROFS: read-only file system, open '/app/x'", "read-only", "/app/x"),
        ("write /spool/x: no space left on device", "disk-full", "/spool/x"),
        ("sqlite3.OperationalError: database or disk is full", "disk-full", ""),
        ("KeyError: 'DATABASE_URL'", "missing-value", "DATABASE_URL"),
        ("sh: API_TOKEN: parameter not set", "missing-value", "API_TOKEN"),
        ("fatal: environment variable SECRET_KEY is not set", "missing-value", "SECRET_KEY"),
        ('{"level":"error","msg":"DATABASE_URL is required"}', "missing-value", "DATABASE_URL"),
        ("Error: missing required environment variable: STRIPE_KEY", "missing-value",
         "STRIPE_KEY"),
        ("cat: /run/secrets/token: No such file or directory", "missing-value",
         "/run/secrets/token"),
        ("exec /program: exec format error", "exec-format", "/program"),
        ("exec /run.sh: no such file or directory", "command-not-found", "/run.sh"),
        ("sh: migrate: not found", "command-not-found", "migrate"),
        ("/entrypoint.sh: line 3: gosu: command not found", "command-not-found", "gosu"),
        ("env: ‘python’: No such file or directory", "command-not-found", "python"),
    ],
)  # fmt: skip
def test_a_line_speaks_of_a_cause(line: str, kind: str, subject: str) -> None:
    symptom = symptoms.dying(written("starting", line), END, 1)
    assert symptom is not None
    assert (symptom.kind, symptom.subject, symptom.line) == (kind, subject, line)


@pytest.mark.parametrize(
    "line",
    [
        "ERROR: required column is missing",
        "FATAL: must be owner of table users",
        "psycopg2.errors.InsufficientPrivilege: permission denied for table users",
        "git@example.com: Permission denied (publickey).",
        "WARN /data: Permission denied, going on without a cache",
        '{"level":"warn","msg":"CACHE_URL is not set"}',
        "connection refused",
        "404 page not found in 3 ms",
    ],
)
def test_a_line_that_only_sounds_like_it_says_nothing(line: str) -> None:
    assert symptoms.dying(written(line), END, 1) is None


def test_a_complaint_that_was_survived_is_no_cause() -> None:
    lines = written("/data: Permission denied", "panic: index out of range")
    assert symptoms.dying(lines, END, 2) is None


def test_a_complaint_long_before_the_end_is_no_cause() -> None:
    lines = [LogLine(END - 60, "/data: Permission denied"), LogLine(END - 0.1, "listening")]
    assert symptoms.dying(lines, END, 1) is None


def test_a_complaint_many_messages_before_the_end_is_no_cause() -> None:
    lines = written("/data: Permission denied", *(f"request {number}" for number in range(10)))
    assert symptoms.dying(lines, END, 1) is None


@pytest.mark.parametrize("code", [0, 137, 139, 143])
def test_what_a_signal_ended_did_not_end_of_what_it_wrote(code: int) -> None:
    assert symptoms.dying(written("/data: Permission denied"), END, code) is None


def test_an_abort_is_a_program_s_own_end() -> None:
    assert symptoms.dying(written("terminate: No space left on device"), END, 134) is not None


def test_what_only_concludes_hides_nothing() -> None:
    lines = written("nc: bad address 'db'", "migration failed", "exiting with error 1")
    symptom = symptoms.dying(lines, END, 1)
    assert symptom is not None
    assert symptom.subject == "db"


def test_lines_that_are_set_in_belong_to_the_message_above() -> None:
    lines = written(
        "Error: superuser password is not specified.",
        "       You must specify POSTGRES_PASSWORD to a non-empty value for the",
        "       superuser.",
    )
    symptom = symptoms.dying(lines, END, 1)
    assert symptom is not None
    assert symptom.subject == "POSTGRES_PASSWORD"
    assert symptom.line.startswith("You must specify POSTGRES_PASSWORD")


@pytest.mark.parametrize(
    "lines",
    [
        (
            "entrypoint: the database is new and has no superuser password: set DB_PASSWORD, or",
            "       DB_PASSWORD_FILE, to a non-empty value",
        ),
        (
            "[ERROR] [Entrypoint]: Database is uninitialized and password option is not specified",
            "    You need to specify one of the following as an environment variable:",
            "    - DB_PASSWORD",
            "    - DB_ALLOW_EMPTY_PASSWORD",
        ),
    ],
)
def test_databases_without_a_password_name_the_variable(lines: tuple[str, ...]) -> None:
    symptom = symptoms.dying(written(*lines), END, 1)
    assert symptom is not None
    assert (symptom.kind, symptom.subject) == ("missing-value", "DB_PASSWORD")


def test_a_stack_trace_below_an_error_is_part_of_it() -> None:
    lines = written(
        "Error: EACCES: permission denied, open '/data/x'", *["    at open (fs.js)"] * 9
    )
    symptom = symptoms.dying(lines, END, 1)
    assert symptom is not None
    assert symptom.subject == "/data/x"


def test_what_runs_may_have_tried_some_seconds_ago() -> None:
    lines = [LogLine(END - 6, "nc: bad address 'db'")]
    assert symptoms.running(lines, END) is not None
    assert symptoms.running(lines, END + 60) is None


def test_a_log_without_times_is_read_by_its_order_alone() -> None:
    assert symptoms.dying([LogLine(0.0, "nc: bad address 'db'")], END, 1) is not None
    assert symptoms.dying([], END, 1) is None
