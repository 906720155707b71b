"""SOPS: the commands that change an encrypted file.

SOPS writes into the file itself, so a crash can leave half of one: callers give it a copy. A value
goes by standard input, never by an argument, which every process of the machine can read.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from hullwright.pasting import pasted
from hullwright.tools import sops

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from hullwright.run import Result, Runner
    from hullwright.secret import Secret

    Env = Mapping[str, str | Secret]

# The first version whose `set` reads a value from standard input.
SETS_FROM_STDIN: Final = (3, 11)
# https://github.com/getsops/sops/blob/main/cmd/sops/codes/codes.go
NOT_MODIFIED: Final = 200
EDITOR_FAILED: Final = 201


def index(path: Sequence[str | int]) -> str:
    """Return a place in a tree as `sops set` takes it: `["db"]["ports"][0]`."""
    return "".join(f"[{json.dumps(part, ensure_ascii=False)}]" for part in path)


def set_value(
    runner: Runner, file: Path, path: Sequence[str | int], value: Secret, *, kind: str, env: Env
) -> Result:
    """Set one value of a file to a text; the value reaches sops by its standard input.

    Raises:
        UnavailableError: sops is missing, or too old to read a value from there.
    """
    argv = ("sops", "set", *_types(kind), "--value-stdin", str(file), index(path))
    result = _told_without_stdin(runner, argv, file.parent, env, json.dumps(value.reveal()))
    if not result.ok:
        sops.require(runner, SETS_FROM_STDIN)
    return result


def encrypt(
    runner: Runner, plain: Secret, *, name: str, config: Path, kind: str, cwd: Path, env: Env
) -> Result:
    """Return what sops made of a JSON text for the file `name`, by the rules of `config`."""
    argv = ("sops", "--config", str(config), "encrypt", "--filename-override", name)
    types = ("--input-type", "json", "--output-type", kind, "/dev/stdin")
    return _told_without_stdin(runner, (*argv, *types), cwd, env, plain.reveal())


def rotate(runner: Runner, file: Path, *, kind: str, env: Env) -> Result:
    """Encrypt every value of a file again, under a new data key, for the same recipients."""
    argv = ("sops", "rotate", *_types(kind), "--in-place", str(file))
    return runner.run(*argv, cwd=file.parent, env=env, check=False)


def update_keys(runner: Runner, file: Path, *, config: Path, kind: str, env: Env) -> Result:
    """Give a file the recipients that its rule names; its values and data key stay."""
    argv = ("sops", "--config", str(config), "updatekeys", "--yes", "--input-type", kind)
    return runner.run(*argv, str(file), cwd=config.parent, env=env, check=False)


def edit(runner: Runner, file: Path, *, config: Path | None, kind: str, env: Env) -> int:
    """Return how `sops edit` ended; it has the terminal, and makes a file that is missing."""
    rules = ("--config", str(config)) if config else ()
    cwd = config.parent if config else file.parent
    return runner.attach("sops", *rules, "edit", *_types(kind), str(file), cwd=cwd, env=env)


def recipient_fault(runner: Runner, recipient: str, flag: str) -> str:
    """Return why sops cannot encrypt to a recipient; empty where it can."""
    argv = ("sops", "--config", "/dev/null", "encrypt", flag, recipient)
    types = ("--input-type", "json", "--output-type", "json", "/dev/stdin")
    # A trial that leaves nothing behind, and no part of what a plan would do.
    trial = replace(runner, echo=None)
    tried = trial.read(*argv, *types, stdin='{"a":"b"}', check=False)
    said = tried.stderr.strip().splitlines()
    return "" if tried.ok else (said[-1] if said else f"sops ended with {tried.returncode}")


def _types(kind: str) -> tuple[str, ...]:
    return ("--input-type", kind, "--output-type", kind)


def _told_without_stdin(
    runner: Runner, argv: tuple[str, ...], cwd: Path, env: Env, stdin: str
) -> Result:
    # Masking goes by whole values of six characters and more; here not one of them may be shown.
    if runner.echo is not None:
        runner.echo(f"{pasted(argv, cwd=cwd, env=env)}   # the value comes by standard input")
    return replace(runner, echo=None).run(*argv, cwd=cwd, env=env, stdin=stdin, check=False)
