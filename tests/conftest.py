"""What holds for every test."""

from __future__ import annotations

import os
import signal

from hypothesis import settings

# Whoever starts the suite in the background may have Ctrl-C ignored, and ignoring is inherited: the
# programs that the tests interrupt would never notice.
signal.signal(signal.SIGINT, signal.default_int_handler)

# No deadline, for these machines are noisy. CI takes the same examples each time, so that a change
# is judged by what it changed; new ones are searched for wherever people work.
settings.register_profile("person", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "person")
