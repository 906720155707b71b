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


def test_a_full_disk_truncates_nothing(tmp_path: Path) -> None:
    own = ["unshare", "--mount", "--map-root-user", "--user"]
    mount = [*own, "mount", "-t", "tmpfs", "tmpfs", str(tmp_path)]
    allowed = (
        shutil.which("unshare")
        and not subprocess.run(mount, capture_output=True, check=False).returncode
    )
    if not allowed:
        pytest.skip("this machine lets no test mount a small disk of its own")
    arguments = ["sh", str(tmp_path), sys.executable, WRITE_MUCH]
    done = subprocess.run(
        [*own, "sh", "-c", FULL_DISK, *arguments], capture_output=True, text=True, check=True
    )
    assert done.stdout == (
        "No space left on device; what stood there before is unchanged\nexit 1\noldstate\n"
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
