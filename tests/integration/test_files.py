"""State on disk under a real full disk, a real kill, and a real second process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hullwright.errors import LockedError
from hullwright.files import lock

# A private mount, so that nothing is left on the machine however the test ends.
FULL_DISK = """
set -e
mount -t tmpfs -o size=64k tmpfs "$1"
printf old >"$1/state"
"$2" -c "$3" "$1/state" || echo "exit $?"
cat "$1/state"
ls -A "$1"
"""
WRITE_MUCH = """
import sys
from pathlib import Path
from hullwright.errors import HullwrightError
from hullwright.files import write_atomic
try:
    write_atomic(Path(sys.argv[1]), b"x" * 1_000_000)
except HullwrightError as error:
    print(error.why)
    sys.exit(error.exit_code)
"""
FULL_DISK_LOCK = """
set -e
mount -t tmpfs -o size=64k tmpfs "$1"
"$2" -c "$3" "$1/locks/it"
"""
FILL_AND_LOCK = """
import sys
from contextlib import suppress
from pathlib import Path
from hullwright.errors import LockedError
from hullwright.files import lock
path = Path(sys.argv[1])
with lock(path, "it"):
    pass
with suppress(OSError), (path.parent.parent / "filler").open("wb", buffering=0) as file:
    while file.write(b"x" * 512):
        pass
with lock(path, "it"):
    try:
        with lock(path, "it"):
            print("two hold it")
    except LockedError as error:
        print(error.why)
print("released")
"""
WRITE_FOREVER = """
import sys
from pathlib import Path
from hullwright.files import write_atomic
for number in range(10**9):
    write_atomic(Path(sys.argv[1]), f"{number % 10}" * 200_000)
    if number == 3:
        print("going", flush=True)
"""
HOLD = """
import sys
from pathlib import Path
from hullwright.files import lock
with lock(Path(sys.argv[1]), "it"):
    print("held", flush=True)
    sys.stdin.read()
"""


def on_small_disk(folder: Path, script: str, program: str) -> str:
    """Return what a script printed in a mount namespace of its own, in which it may mount."""
    own = ["unshare", "--mount", "--map-root-user", "--user"]
    mount = [*own, "mount", "-t", "tmpfs", "tmpfs", str(folder)]
    allowed = (
        shutil.which("unshare")
        and not subprocess.run(mount, capture_output=True, check=False).returncode
    )
    if not allowed:
        pytest.skip("this machine lets no test mount a small disk of its own")
    arguments = ["sh", str(folder), sys.executable, program]
    return subprocess.run(
        [*own, "sh", "-c", script, *arguments], capture_output=True, text=True, check=True
    ).stdout


def test_a_full_disk_truncates_nothing(tmp_path: Path) -> None:
    assert on_small_disk(tmp_path, FULL_DISK, WRITE_MUCH) == (
        "No space left on device; what stood there before is unchanged\nexit 1\noldstate\n"
    )


def test_a_full_disk_lets_a_lock_be_held(tmp_path: Path) -> None:
    assert on_small_disk(tmp_path, FULL_DISK_LOCK, FILL_AND_LOCK) == (
        "[('holder', 'unknown (it is just starting, or its disk is full)')]\nreleased\n"
    )


@pytest.mark.parametrize("delay", range(5))
def test_a_kill_leaves_the_old_or_the_new_content(tmp_path: Path, delay: int) -> None:
    target = tmp_path / "state"
    with subprocess.Popen(
        [sys.executable, "-c", WRITE_FOREVER, target], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "going\n"
        # Each run is killed at another instruction: after so many further replacements.
        seen = {target.stat().st_mtime_ns}
        while len(seen) <= delay:
            seen.add(target.stat().st_mtime_ns)
        process.kill()
    content = target.read_text(encoding="utf-8")
    assert len(content) == 200_000
    assert len(set(content)) == 1


def test_a_lock_of_another_process_names_it_and_dies_with_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(LockedError, match=f"process {process.pid}:"), lock(path, "it"):
            pytest.fail("two hold one lock")
        process.kill()
        process.wait()
        with lock(path, "it"):
            assert f'"pid": {os.getpid()}' in path.read_text(encoding="utf-8")
