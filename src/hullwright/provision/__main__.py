"""The setup command: `./scripts/setup [--install]`, before any dependency is installed."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from hullwright.console import Console
from hullwright.errors import ExitCode, HullwrightError
from hullwright.provision.setup import set_up, summary
from hullwright.run import Runner, machine_state_dir

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_DESCRIPTION = """\
Sets up what Hullwright needs: a Docker engine with buildx and Compose, sops, age, the tools of the
tests, and the Python environment .venv. Without --install it changes nothing, prints exactly what
it would do, and exits with 3 if there is something to do."""


def main(argv: Sequence[str], environ: Mapping[str, str], root: Path) -> int:
    """Return the exit code of one setup."""
    parser = argparse.ArgumentParser(prog="setup", description=_DESCRIPTION, allow_abbrev=False)
    parser.add_argument("--install", action="store_true", help="consent to changing this system")
    parser.add_argument("--quiet", action="store_true", help="print nothing if nothing is to do")
    given = parser.parse_args(argv)
    console = Console(environ)
    try:
        return run(console, environ, root, install=given.install, quiet=given.quiet)
    except HullwrightError as error:
        console.error(str(error))
        return int(error.exit_code)
    except KeyboardInterrupt:
        console.error("interrupted; run it again and it goes on where it was")
        return int(ExitCode.INTERRUPTED)
    except Exception:  # noqa: BLE001  the one boundary: anything unexpected is a bug of ours
        log = machine_state_dir(environ) / "setup-bug.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(f"{sys.version}\n{traceback.format_exc()}", encoding="utf-8")
        console.error(f"this is a bug in Hullwright; {log} says where it happened")
        return int(ExitCode.BUG)


def run(
    console: Console, environ: Mapping[str, str], root: Path, *, install: bool, quiet: bool
) -> int:
    """Set up, tell of it, and return the exit code."""
    # Programs that setup starts are not to import this package by accident.
    passed = {name: value for name, value in environ.items() if name != "PYTHONPATH"}
    outcome = set_up(root, Runner(passed), console, install=install)
    for warning in outcome.plan.warnings:
        console.warn(warning)
    if outcome.done:
        if not quiet:
            console.note(f"✓ set up: {summary(outcome.facts)}")
            for left in outcome.plan.operations if not install else ():
                console.note(f"  not done: {left.resource} — {left.cause}; --install tries it")
        return int(ExitCode.DONE)
    console.result(outcome.plan.text())
    command = "./scripts/setup" if (root / "scripts" / "setup").exists() else "invoke setup"
    console.note(f"\nnothing was changed; to do this: {command} --install")
    return int(ExitCode.UNAVAILABLE)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ, Path(__file__).resolve().parents[3]))
