"""Gates: commands of the repository that look at what was pushed before it gets its tags.

A gate gets the release as one JSON document on standard input, and in variables for a shell
script: `HULLWRIGHT_PUSH_PROJECT`, `…_VERSION`, `…_REVISION`, `…_SERVICES`, `…_DIGESTS` and
`…_REFERENCES`; the last is what scanners and signers want, each image by its digest. Lists are
words with commas between them, in one order.
"""

from __future__ import annotations

import json
import shlex
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from hullwright.errors import CheckFailedError, UnavailableError
from hullwright.run import CommandError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hullwright.push.checking import Checked
    from hullwright.push.planning import PushPlan
    from hullwright.workspace import Workspace

_SCHEMA: Final = 1


@dataclass(frozen=True, slots=True)
class Gate:
    """A gate that let a release through: its command, and how long it took."""

    command: str
    seconds: float


def gates(
    ws: Workspace, plan: PushPlan, images: Sequence[Checked], *, version: str, revision: str
) -> tuple[Gate, ...]:
    """Return the gates of a release, each of which let it through; the first that does not ends it.

    Raises:
        CheckFailedError: one did not end with 0; its output is in the message.
        UnavailableError: its program does not exist.
    """
    if not plan.gates:
        return ()
    told = document(plan, images, project=ws.config.project, version=version, revision=revision)
    return tuple(_run(ws, gate, told) for gate in plan.gates)


def document(
    plan: PushPlan, images: Sequence[Checked], *, project: str, version: str, revision: str
) -> dict[str, Any]:
    """Return what a gate is told of a release."""
    return {
        "schema": _SCHEMA,
        "event": "gate",
        "project": project,
        "version": version,
        "revision": revision,
        "images": [
            {
                "service": image.content.service,
                "target": image.content.target,
                "repository": image.content.repository,
                "digest": image.content.digest,
                "reference": image.content.reference,
                "media_type": image.media_type,
                "platforms": dict(image.platforms),
                "attestations": sorted(image.attestations),
                "version": image.content.version,
                "revision": image.content.revision,
                "fingerprint": image.content.fingerprint,
                "tags": list(planned.tags) if planned else [],
            }
            for image in images
            for planned in [plan.image(image.content.service, image.content.target)]
        ],
    }


def environment(told: dict[str, Any]) -> dict[str, str]:
    """Return the same as variables."""
    images = told["images"]
    return {
        "HULLWRIGHT_PUSH_PROJECT": told["project"],
        "HULLWRIGHT_PUSH_VERSION": told["version"],
        "HULLWRIGHT_PUSH_REVISION": told["revision"],
        "HULLWRIGHT_PUSH_SERVICES": ",".join(image["service"] for image in images),
        "HULLWRIGHT_PUSH_DIGESTS": ",".join(image["digest"] for image in images),
        "HULLWRIGHT_PUSH_REFERENCES": ",".join(image["reference"] for image in images),
    }


def _run(ws: Workspace, gate: Sequence[str], told: dict[str, Any]) -> Gate:
    command, started = shlex.join(gate), time.monotonic()
    # A path is meant from the repository's top, wherever the task was called.
    program = str(ws.root / gate[0]) if "/" in gate[0] else gate[0]
    try:
        with ws.console.step(f"gate: {command}"):
            result = ws.runner.run(
                program,
                *gate[1:],
                cwd=ws.root,
                env=environment(told),
                stdin=f"{json.dumps(told, sort_keys=True)}\n",
            )
    except CommandError as error:
        raise CheckFailedError(
            f"a gate refused this release: it ended with {error.result.returncode}",
            why=[
                ("gate", command),
                ("output", "\n".join(error.result.tail()) or "(it printed nothing)"),
                ("tags", "none was changed; the content stays, so a next push sends none of it"),
            ],
            next_step="correct what it reports, or push.gates in the configuration",
        ) from error
    except UnavailableError as error:
        raise UnavailableError(
            f"a gate cannot be run: {error.what}",
            why=[("gate", command), ("why", f"{error.why or ''}")],
            next_step="correct push.gates in the configuration, or make the file executable",
        ) from error
    for line in ws.runner.redacted(result.stdout + result.stderr).splitlines():
        ws.console.detail(f"  {line}")
    return Gate(command, time.monotonic() - started)
