"""Turning this process into a program."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_IGNORED_BY_PYTHON: Final = (signal.SIGPIPE, signal.SIGXFSZ)


def become(program: str, argv: Sequence[str], environ: Mapping[str, str]) -> NoReturn:
    """Turn this process into a program; what was printed before is out by then.

    Raises:
        OSError, ValueError: it cannot be started.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    # What is ignored stays so in the program, which would then never end with its reader.
    before = {number: signal.signal(number, signal.SIG_DFL) for number in _IGNORED_BY_PYTHON}
    try:
        os.execve(program, list(argv), environ)  # noqa: S606  no shell: that is what is meant
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
