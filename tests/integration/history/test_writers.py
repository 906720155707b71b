"""Many real processes that write one history at once."""

from __future__ import annotations

import io
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from hullwright.console import Console
from hullwright.history import append, list_records
from hullwright.run import Runner
from recording import record, workspace

_PROCESSES = 12
_EACH = 10

# Each writer waits for a line, so that all of them make the file, its schema and their records
# at the same moment.
_WRITER = """
import sys
from pathlib import Path
from hullwright.history import append, list_records
from recording import record, workspace
ws = workspace(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for minute in range(int(sys.argv[2])):
    append(ws, record("build", minute=minute, data={"writer": sys.argv[3]}))
    assert any(kept.data["writer"] == sys.argv[3] for kept in list_records(ws))
"""


def _start(root: Path, number: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(root), str(_EACH), str(number)],
        env={**os.environ, "PYTHONPATH": f"{Path(__file__).parents[2]}"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_no_record_is_lost_and_no_writer_fails(tmp_path: Path) -> None:
    writers = [_start(tmp_path, number) for number in range(_PROCESSES)]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    ends = [writer.communicate(timeout=120) for writer in writers]
    assert [writer.returncode for writer in writers] == [0] * _PROCESSES, ends
    kept = list_records(workspace(tmp_path))
    assert len(kept) == _PROCESSES * _EACH
    assert {record.data["writer"] for record in kept} == {f"{n}" for n in range(_PROCESSES)}


def test_a_writer_that_is_killed_leaves_a_whole_history(tmp_path: Path) -> None:
    writers = [_start(tmp_path, number) for number in range(4)]
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    file = tmp_path / ".hullwright/history.sqlite"
    # The first record is the sign that they are in the middle of their work.
    while not (file.exists() and list_records(workspace(tmp_path), limit=1)):
        assert any(writer.poll() is None for writer in writers)
    for writer in writers:
        writer.kill()
        writer.communicate()
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert list_records(workspace(tmp_path))


def test_a_history_that_git_sees_is_told_with_the_line_to_add(tmp_path: Path) -> None:
    subprocess.run(("git", "init", "--quiet", str(tmp_path)), check=True)
    told = io.StringIO()
    ws = workspace(tmp_path, path="runs.sqlite")
    ws = replace(ws, console=Console({}, out=told, err=told), runner=Runner(dict(os.environ)))
    append(ws, record())
    assert "runs.sqlite is not ignored by Git" in told.getvalue()
    assert "each record changes the version" in told.getvalue()
    (tmp_path / ".gitignore").write_text("/runs.sqlite\n", encoding="utf-8")
    seen = told.tell()
    append(ws, record("sizes"))
    assert (told.tell(), len(list_records(ws))) == (seen, 2)
