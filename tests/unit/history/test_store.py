"""The embedded history in one process."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from hullwright.errors import HullwrightError, LockedError, UsageError
from hullwright.history import append, list_records, listing, store, unsent_count
from hullwright.report import failures
from hullwright.secret import Secret
from hullwright.stack import Failure
from recording import record, workspace

if TYPE_CHECKING:
    from pathlib import Path


def test_records_are_listed_newest_first_and_filtered(tmp_path: Path) -> None:
    ws = workspace(tmp_path)
    kept = [record("build", minute=1), record("sizes", minute=3), record("build", minute=2)]
    for one in kept:
        append(ws, one)
    assert list_records(ws) == [kept[1], kept[2], kept[0]]
    assert list_records(ws, "build") == [kept[2], kept[0]]
    assert list_records(ws, "build", 1) == [kept[2]]
    assert list_records(ws, project="another") == []


def test_a_kind_that_was_never_recorded_is_refused_with_those_that_were(tmp_path: Path) -> None:
    ws = workspace(tmp_path)
    assert listing(ws, "bild").records == ()
    append(ws, record("build"))
    append(ws, record("sizes"))
    with pytest.raises(UsageError, match='unknown kind of run "bild" — did you mean "build"') as no:
        listing(ws, "bild")
    assert (no.value.exit_code, no.value.why) == (2, [("known", "build, sizes")])


def test_a_record_is_kept_once(tmp_path: Path) -> None:
    ws, one = workspace(tmp_path), record()
    append(ws, one)
    append(ws, one)
    assert (list_records(ws), unsent_count(ws)) == ([one], 1)


def test_asking_makes_no_file(tmp_path: Path) -> None:
    ws = workspace(tmp_path)
    assert (list_records(ws), unsent_count(ws)) == ([], 0)
    assert list(tmp_path.iterdir()) == []


def test_the_folder_ignores_itself_and_the_history_is_one_file(tmp_path: Path) -> None:
    append(workspace(tmp_path), record())
    made = {path.name for path in (tmp_path / ".hullwright").iterdir()}
    assert made == {".gitignore", "history.sqlite"}


def test_the_file_may_be_elsewhere(tmp_path: Path) -> None:
    ws = workspace(tmp_path, path="var/log/runs.sqlite")
    append(ws, record())
    assert (tmp_path / "var/log/runs.sqlite").is_file()
    assert len(list_records(ws)) == 1


def test_what_programs_printed_is_not_kept(tmp_path: Path) -> None:
    ws = workspace(tmp_path)
    crashed = Failure(
        "db",
        "crash",
        "db crashed: it ended with 1",
        (("exit code", "1"), ("result", "exit code 1\nPIN=12345"), ("engine", "PIN=12345")),
        ("PIN=12345",),
    )
    told = {"verdict": "failed", "failures": failures.as_json([crashed])}
    step = {"step": "RUN x", "error": "exit code: 1", "output": ["PIN=12345"], "causes": []}
    append(ws, record("up", data=told))
    append(ws, record("build", data={"targets": [{"service": "web", "failure": step}]}))
    assert b"12345" not in (tmp_path / ".hullwright/history.sqlite").read_bytes()
    (up,), (build,) = list_records(ws, "up"), list_records(ws, "build")
    assert up.data == {
        "verdict": "failed",
        "failures": [
            {
                "service": "db",
                "cause": "crash",
                "message": "db crashed: it ended with 1",
                "facts": {"exit code": "1"},
            }
        ],
    }
    assert build.data["targets"] == [
        {"service": "web", "failure": {"step": "RUN x", "error": "exit code: 1", "causes": []}}
    ]


def test_a_secret_that_a_report_quotes_is_masked(tmp_path: Path) -> None:
    ws = workspace(tmp_path)
    ws.runner.secrets.add(Secret("swordfish"))
    append(ws, record(data={"output": ["password is swordfish", ("swordfish",)], "swordfish": 1}))
    assert list_records(ws)[0].data == {"output": ["password is ***", ["***"]], "***": 1}
    assert b"swordfish" not in (tmp_path / ".hullwright/history.sqlite").read_bytes()


def test_a_secret_itself_never_gets_into_a_record(tmp_path: Path) -> None:
    ws = workspace(tmp_path)
    with pytest.raises(TypeError, match="Secret is not JSON serializable"):
        append(ws, record(data={"environment": {"PASSWORD": Secret("x")}}))
    assert list_records(ws) == []


def test_what_no_store_takes_is_replaced(tmp_path: Path) -> None:
    ws = workspace(tmp_path)
    append(ws, record(data={"nul": "a\0b", "half": "\ud800", "far": float("inf")}))
    assert list_records(ws)[0].data == {"nul": "a�b", "half": "?", "far": None}


def test_a_newer_schema_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    ws = workspace(tmp_path)
    append(ws, record())
    file = tmp_path / ".hullwright/history.sqlite"
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA user_version = 99")
    before = file.read_bytes()
    with pytest.raises(UsageError, match="written by a newer Hullwright") as error:
        append(ws, record())
    assert ("its schema", "99") in error.value.why
    with pytest.raises(UsageError):
        list_records(ws)
    assert file.read_bytes() == before


def test_an_older_schema_is_brought_forward_with_its_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ws, one = workspace(tmp_path), record()
    append(ws, one)
    added = ("ALTER TABLE records ADD COLUMN host TEXT NOT NULL DEFAULT 'here'",)
    monkeypatch.setattr(store, "_MIGRATIONS", (*store._MIGRATIONS, added))
    assert list_records(ws) == [one]
    with closing(sqlite3.connect(tmp_path / ".hullwright/history.sqlite")) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (2,)
        assert database.execute("SELECT host FROM records").fetchone() == ("here",)


def test_a_migration_that_fails_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ws, one = workspace(tmp_path), record()
    append(ws, one)
    broken = ("ALTER TABLE records ADD COLUMN host TEXT", "ALTER TABLE nowhere ADD COLUMN x TEXT")
    with monkeypatch.context() as patch:
        patch.setattr(store, "_MIGRATIONS", (*store._MIGRATIONS, broken))
        with pytest.raises(HullwrightError, match="could not be used"):
            list_records(ws)
    with closing(sqlite3.connect(tmp_path / ".hullwright/history.sqlite")) as database:
        columns = {row[1] for row in database.execute("PRAGMA table_info(records)")}
    assert "host" not in columns
    assert list_records(ws) == [one]


def test_a_file_that_is_no_history_is_told_and_kept(tmp_path: Path) -> None:
    (tmp_path / ".hullwright").mkdir()
    file = tmp_path / ".hullwright/history.sqlite"
    file.write_text("my shopping list, long enough to be read as a header of a database\n" * 9)
    before = file.read_bytes()
    with pytest.raises(HullwrightError, match="is no history, or a damaged one") as error:
        append(workspace(tmp_path), record())
    assert (error.value.exit_code, file.read_bytes()) == (1, before)


def test_a_writer_that_holds_it_too_long_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_BUSY_TIMEOUT_S", 0.05)
    ws = workspace(tmp_path)
    append(ws, record())
    file = tmp_path / ".hullwright/history.sqlite"
    with closing(sqlite3.connect(file, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(LockedError, match="in use by another run") as error:
            append(ws, record())
        assert len(list_records(ws)) == 1
    assert error.value.exit_code == 4


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file")
    with pytest.raises(HullwrightError, match="could not be made for the history"):
        append(workspace(tmp_path, path="var/log/history.sqlite"), record())


def test_a_path_that_is_a_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    with pytest.raises(HullwrightError, match="could not be used") as error:
        append(workspace(tmp_path, path="runs"), record())
    assert "[history] path" in error.value.next_step


def test_sent_and_refused_records_wait_no_longer(tmp_path: Path) -> None:
    ws = workspace(tmp_path)
    kept = [record(minute=minute) for minute in range(3)]
    for one in kept:
        append(ws, one)
    assert store.unsent(ws, 2) == kept[:2]
    store.mark_sent(ws, [kept[0].id])
    store.mark_refused(ws, kept[1].id, "422")
    assert store.unsent(ws, 9) == kept[2:]
    assert (unsent_count(ws), len(list_records(ws))) == (1, 3)
