"""Each cause, on a real container: what is told of it, in which words, and by which facts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

import seeded
from composing import there

if TYPE_CHECKING:
    from composing import Made
    from hullwright.stack import Failure

pytestmark = pytest.mark.docker

# By seed: how its sentence goes, and what its facts hold. What differs from run to run is cut off.
_TOLD: Final[dict[str, tuple[str, dict[str, str]]]] = {
    "wrong-platform": (
        "app cannot run here: its image is for linux/s390x, and the engine runs linux/",
        {"image": "linux/s390x", "said": "exec /program: exec format error"},
    ),
    "command-not-found": (
        'app cannot start: its image has no "no-such-program"',
        {"engine": 'exec: "no-such-program": executable file not found'},
    ),
    "permission-denied": (
        'app cannot start: "/etc/hostname" is not executable',
        {"engine": "permission denied", "try": "chmod +x"},
    ),
    "crash": ("app crashed: it ended with 3", {"exit code": "3", "logs": "the last one follows"}),
    "crash-loop": (
        "app crashes again and again: 3 times, last with 7",
        {"logs": "invoke logs --service app   (it wrote nothing)"},
    ),
    "out-of-memory": (
        "app ran out of memory: the kernel ended it",
        {"exit code": "137 (ended by SIGKILL)", "limit": "8.4 MB", "try": "mem_limit"},
    ),
    "port-taken": ("second cannot have port ", {"held by": "-first-1", "engine": "Bind for"}),
    "missing-value": (
        "app crashed: it ended with 1; by its last lines, it needs POSTGRES_PASSWORD",
        {
            "POSTGRES_PASSWORD": "is not in its environment",
            "said": "You must specify POSTGRES_PASSWORD",
        },
    ),
    "read-only": (
        "app crashed: it ended with 1; by its last lines, it cannot write /run.pid, which",
        {"file system": "read_only: true", "try": "tmpfs:"},
    ),
    "probe-cannot-run": (
        "app cannot become healthy: its health check has no program to run",
        {
            "check": "CMD curl -f http://127.0.0.1",
            "result": 'could not start: "curl": executable file not found',
            "note": "the service itself has been listening on 8080 since",
        },
    ),
    "unhealthy": (
        "app is unhealthy: its health check fails",
        {"check": "CMD-SHELL echo queue is full", "result": "exit code 1\nqueue is full"},
    ),
    "probe-timeout": (
        "app is unhealthy: its health check takes longer than its timeout, 0.3 s",
        {"result": "Health check exceeded timeout", "too slow": "of the last"},
    ),
    "dependency": ("app was not started: it depends on db", {"because": "db crashed"}),
    "name-unresolvable": (
        'app crashed: it ended with 1; by its last lines, the name "databse" cannot be resolved',
        {"name": 'did you mean "database"?', "said": "nc: bad address 'databse'"},
    ),
    "volume-owner": (
        "app crashed: it ended with 1; by its last lines, it was denied /data/file, which belongs",
        {"owner": "/data belongs to 0:0, mode 755", "user": "1000:1000", "mount": "the volume "},
    ),
    "disk-full": (
        "app crashed: it ended with 1; by its last lines, no space is left for /small/file",
        {"mount": "/small: tmpfs size=64k", "said": "No space left on device"},
    ),
    "never-ready": ("app was not ready within 4 s", {"check": "CMD-SHELL exit 1"}),
    "emulated-and-ends": (
        "app is emulated, for its image is for linux/arm64 and the engine runs linux/",
        {"exit code": "3", "image": "linux/arm64"},
    ),
    "emulated-and-slow": (
        "app is emulated, for its image is for linux/arm64 and the engine runs linux/",
        {"check": "CMD /program"},
    ),
    "not-in-a-shell": (
        'app ended with 127: its command "migrate" was not found',
        {"said": "sh: migrate: not found"},
    ),
    "not-executable-in-a-shell": (
        'app ended with 126: its command "/etc/hostname" cannot be executed',
        {"said": "Permission denied"},
    ),
    "denied-by-a-file": (
        "app crashed: it ended with 1; by its last lines, it was denied /etc/hostname",
        {"user": "1000"},
    ),
    "unset-in-a-shell": (
        "app crashed: it ended with 2; by its last lines, it needs API_TOKEN",
        {"API_TOKEN": "is not in its environment"},
    ),
    "read-only-mount": (
        "app crashed: it ended with 1; by its last lines, it cannot write /data/file",
        {"mount": "/data is mounted read-only"},
    ),
    "check-not-in-the-shell": (
        "app cannot become healthy: its health check has no program to run",
        {"result": "127 (the command was not found)"},
    ),
    "check-not-in-the-shell-or-else": (
        "app cannot become healthy: its health check has no program to run: curl",
        {"check": "curl -f", "result": "exit code 1", "try": "a check that the image contains"},
    ),
    "check-not-executable": (
        "app cannot become healthy: its health check is not executable",
        {"result": 'could not start: "/etc/hostname": permission denied'},
    ),
    "slow-check-in-a-start-period": (
        "app was not ready within 6 s: its health check takes longer than its timeout, 0.2 s",
        {},
    ),
    "tries-a-name-for-ever": (
        'app is unhealthy; by its last lines, the name "databse" cannot be resolved',
        {"name": 'no service of this stack is called "databse"'},
    ),
    "complained-and-went-on": ("app crashed: it ended with 2", {}),
    "ended-before-its-check-held": ("app ended with 0 before its health check held", {}),
    "on-another-network": (
        'app crashed: it ended with 1; by its last lines, the name "database" cannot be resolved',
        {"name": "database runs on ", "try": "networks: with one in common"},
    ),
    "chain-of-dependencies": (
        "app was not started: it depends on migrate",
        {"because": "db did not complete: it ended with 1"},
    ),
}
_ALL: Final = {seed.name: seed for seed in (*seeded.SEEDS, *seeded.VARIANTS)}
_REFUSED: Final = sorted(set(_ALL) - set(_TOLD))


@pytest.fixture(scope="module")
def images(busybox: str) -> str:
    """Return the busybox, with the images for other platforms beside it."""
    seeded.make_images()
    return busybox


@pytest.mark.parametrize("name", _TOLD)
def test_a_cause_is_told_with_its_facts(name: str, made: Made, images: str) -> None:
    if name.startswith("emulated"):
        seeded.needs_emulator("arm64")
    seed = _ALL[name]
    outcome = seeded.start(made, seed, images)
    assert outcome.told == seed.expected, outcome
    sentence, facts = _TOLD[name]
    failure = outcome.failure(seed.expected[-1][0])
    assert failure.sentence.startswith(sentence)
    shown = dict(failure.facts)
    assert {key: held for key, held in facts.items() if held not in shown.get(key, "")} == {}, shown
    assert _leads_to_its_log(failure)
    # Ended by the verdict, not removed: a person wants to look at it.
    assert there(made.project)["containers"]


def _leads_to_its_log(failure: Failure) -> bool:
    told = dict(failure.facts)
    if failure.cause == "dependency":
        return "logs" not in told
    return told["logs"].startswith(f"invoke logs --service {failure.service}   ")


@pytest.mark.parametrize("name", _REFUSED)
def test_what_cannot_begin_is_refused_with_its_cause(name: str, made: Made, images: str) -> None:
    seed = _ALL[name]
    outcome = seeded.start(made, seed, images)
    assert outcome.told == seed.expected
    assert outcome.error is not None
    assert outcome.error.next_step
    assert not any(there(made.project).values())


def test_every_cause_is_seeded_once() -> None:
    causes = [seed.cause for seed in seeded.SEEDS]
    assert causes == [seed.name for seed in seeded.SEEDS]
    assert len(set(causes)) == 18
