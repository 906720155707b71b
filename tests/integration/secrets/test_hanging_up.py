"""An edit whose terminal is closed, or that is told to end, clears its plaintext away."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from vaults import Vault

OWN: Final = ".env.sops.yaml"
PLAIN: Final = "TOKEN: first-value\n"

_EDITED: Final = """\
import os, sys
from pathlib import Path
from repositories import workspace
from hullwright.secrets import keeping
keeping.edit(workspace(Path(sys.argv[1]), dict(os.environ)))
"""


@pytest.mark.parametrize("end", ["HUP", "TERM"])
def test_nothing_stays_of_an_edit_whose_terminal_closes(
    vault: Vault, tmp_path: Path, end: str
) -> None:
    vault.seal(OWN, PLAIN)
    notes, script = tmp_path / "notes", tmp_path / "editor.sh"
    # What closes reaches all of a terminal's processes; the task first, here.
    script.write_text(
        f'#!/bin/sh\necho "$1" >"{notes}"\n'
        'task=$(ps -o ppid= "$PPID")\n'
        f"kill -{end} $task\nkill -9 $PPID\n"
    )
    script.chmod(0o755)
    environ = {
        **vault.repository.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "EDITOR": str(script),
    }
    words = (sys.executable, "-c", _EDITED, str(vault.root))
    done = subprocess.run(words, env=environ, check=False, timeout=60, capture_output=True)
    place = Path(notes.read_text(encoding="utf-8").strip())
    # It cleared away before it ended, where the signal by itself would have ended it.
    assert done.returncode >= 0, done.stderr
    assert place.name == OWN
    assert not place.parent.parent.exists()
