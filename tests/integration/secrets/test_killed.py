"""A kill at any moment of a decrypt leaves the old file or the new one, and nothing else."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final

from hullwright.secrets import decrypt

if TYPE_CHECKING:
    from vaults import Vault

OLD: Final = b"OLD=1\n"
KILLS: Final = 50
_CODE: Final = """\
import os, sys
from pathlib import Path
from repositories import workspace
from hullwright.secrets import decrypt
ws = workspace(Path(sys.argv[1]), dict(os.environ))
print("ready", flush=True)
decrypt(ws)
print("done", flush=True)
"""


def test_a_kill_leaves_the_old_or_the_new_file_for_its_owner_only(vault: Vault) -> None:
    vault.seal(".env.sops.yaml", f"A: {'a' * 20_000}\nB: {'b' * 20_000}\n")
    vault.repository.git("add", "--all")
    vault.repository.git("commit", "--quiet", "--message=x")
    target = vault.root / ".env"
    decrypt(vault.workspace())
    new = target.read_bytes()
    took_s = _seconds(vault)
    chance = random.Random(20_261_121)  # noqa: S311  moments of a test, not keys
    seen = set()
    for _ in range(KILLS):
        target.write_bytes(OLD)
        target.chmod(0o600)
        _kill(vault, chance.uniform(0, took_s * 2))
        seen.add(target.read_bytes())
        assert target.stat().st_mode & 0o777 == 0o600
        # What a kill left half done stands where only we look, for its owner only.
        for left in (vault.root / ".hullwright").rglob("*.new"):
            assert left.stat().st_mode & 0o777 == 0o600
        assert vault.repository.git("status", "--porcelain", "--untracked-files=all") == ""
    assert seen == {OLD, new}
    # A kill leaves the lock's file, but not the lock; and the next decrypt takes the rest away.
    decrypt(vault.workspace())
    assert target.read_bytes() == new
    assert [*(vault.root / ".hullwright").rglob("*.new")] == []


def _started(vault: Vault) -> subprocess.Popen[str]:
    environ = {**vault.repository.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    words = (sys.executable, "-c", _CODE, str(vault.root))
    process = subprocess.Popen(
        words, env=environ, stdout=subprocess.PIPE, start_new_session=True, text=True
    )
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    return process


def _seconds(vault: Vault) -> float:
    """Return how long a decrypt takes here, from the moment at which a kill may come."""
    with _started(vault) as process:
        begun = time.monotonic()
        assert process.stdout
        assert process.stdout.readline() == "done\n"
        return time.monotonic() - begun


def _kill(vault: Vault, after_s: float) -> None:
    with _started(vault) as process:
        # The moments of the kill are what is tried here; nothing is waited for.
        time.sleep(after_s)
        os.killpg(process.pid, signal.SIGKILL)
