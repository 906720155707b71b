"""The process of a container as this machine has it, and the one signal that it is ever sent."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Final

from hullwright.errors import HullwrightError
from hullwright.tools import ports

if TYPE_CHECKING:
    from hullwright.tools.engine import Container


_ID_DIGITS: Final = 64


class NotOursError(HullwrightError):
    """The process cannot be reached from here; the message says why."""


def kill(container: Container) -> None:
    """Kill the first process of a container from outside, as the kernel does when memory is short.

    The engine sees a death that it did not order, so the restart policy holds; after `docker kill`
    it does not. The process is held by a descriptor, and is looked at once more then: the signal
    reaches the container's process or none, even if its number was given to another one meanwhile.

    Raises:
        NotOursError: the engine is elsewhere, or the process belongs to another user.
    """
    _signal(container, signal.SIGKILL)


def check_reachable(container: Container) -> None:
    """Make sure that `kill` could reach a container's process; nothing is done to it.

    Raises:
        NotOursError: as `kill`.
    """
    # Signal 0 asks for the right to send one: https://man7.org/linux/man-pages/man2/kill.2.html
    _signal(container, 0)


def _signal(container: Container, number: int) -> None:
    if not container.pid or not hasattr(os, "pidfd_open"):
        raise NotOursError("its process is not one of this machine")
    try:
        held = os.pidfd_open(container.pid)
    except OSError:
        raise NotOursError("its process is not one of this machine") from None
    try:
        # A part of an id stands in other processes' groups by chance.
        whole = len(container.id) == _ID_DIGITS
        if not whole or not ports.runs_container(container.pid, container.id):
            raise NotOursError(
                "its process is not one of this machine: the engine runs elsewhere, or hides it"
            )
        # Typed for the signals by name only; 0 is none of them.
        signal.pidfd_send_signal(held, number)
    except PermissionError:
        raise NotOursError("its process is another user's: root may kill it") from None
    except ProcessLookupError:
        raise NotOursError("its process has just ended") from None
    finally:
        os.close(held)
