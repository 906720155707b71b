"""Stacks that cannot come up, each of one cause: what the tests and the benchmark start.

`SEEDS` holds one for each cause that is told apart, `VARIANTS` other ways to the same causes.
"""

from __future__ import annotations

import io
import socket
import struct
import subprocess
import tarfile
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from composing import BUSYBOX, docker
from hullwright import stack
from hullwright.errors import HullwrightError

if TYPE_CHECKING:
    from composing import Made
    from hullwright.stack import Failure, UpReport

# Programs for other processors: Linux's exit(3), and an endless loop, in machine code.
_ARM64: Final = "hullwright-test/foreign-arm64:1"
_ARM64_LOOP: Final = "hullwright-test/foreign-arm64-loop:1"
_S390X: Final = "hullwright-test/foreign-s390x:1"
_FOREIGN: Final = {
    _ARM64: ("linux/arm64", 183, "<", struct.pack("<III", 0xD2800060, 0xD2800BA8, 0xD4000001)),
    _ARM64_LOOP: ("linux/arm64", 183, "<", struct.pack("<I", 0x14000000)),
    _S390X: ("linux/s390x", 22, ">", bytes.fromhex("a72900030a01")),
}
# Nothing listens there, so the answer comes at once.
_NOWHERE: Final = "127.0.0.1:9/hullwright-test/nowhere:1"
_LATE_CHECK: Final = 'healthcheck: {test: "exit 1", interval: 60s}'


@dataclass(frozen=True, slots=True)
class Seed:
    """A stack that fails.

    Attributes:
        name: of the seed.
        services: its compose text below `services:`; `{busybox}` and `{port}` are filled in.
        expected: (service, cause) of each failure, in the order in which they are to be told; the
            service is empty where it is refused before anything starts.
        rest: what stands beside the services.
        timeout_s: longest wait.
    """

    name: str
    services: str
    expected: tuple[tuple[str, str], ...]
    rest: str = ""
    timeout_s: float = 30.0

    @property
    def cause(self) -> str:
        """The cause that it stands for."""
        return self.expected[-1][1]

    def write(self, made: Made, busybox: str = BUSYBOX) -> None:
        """Write its compose file into a repository."""
        text = self.services.replace("{busybox}", busybox)
        if "{port}" in text:
            text = text.replace("{port}", str(_free_port()))
        made.compose(text, self.rest)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was told of a seed: the failures, or the error before anything was started."""

    report: UpReport | None = None
    error: HullwrightError | None = None

    @property
    def told(self) -> tuple[tuple[str, str], ...]:
        """The (service, cause) of each failure; the service is empty for a refusal."""
        if self.error is not None:
            return (("", self.error.cause),)
        failures = self.report.failures if self.report else ()
        return tuple((failure.service, failure.cause) for failure in failures)

    def failure(self, service: str) -> Failure:
        """Return what was told of one service."""
        assert self.report is not None, self.error
        return next(each for each in self.report.failures if each.service == service)


def start(made: Made, seed: Seed, busybox: str = BUSYBOX) -> Outcome:
    """Start a seed in a repository of its own, and return what was told of it."""
    seed.write(made, busybox)
    ws = made.workspace()
    try:
        return Outcome(stack.up(ws, stack.select(ws), limits=stack.Limits(seed.timeout_s)))
    except HullwrightError as error:
        return Outcome(error=error)


def make_images() -> None:
    """Make the images for other platforms, where they are not there yet."""
    for reference, (platform, machine, order, code) in _FOREIGN.items():
        if docker("image", "ls", "--quiet", reference):
            continue
        done = subprocess.run(
            (
                *("docker", "import", "--platform", platform, "--change", 'CMD ["/program"]'),
                *("--change", "LABEL dev.hullwright.kind=test", "-", reference),
            ),
            input=_archive(_elf(machine, order, code)),
            check=False,
            capture_output=True,
        )
        assert done.returncode == 0, done.stderr


def needs_emulator(architecture: str) -> None:
    """Skip a test where the kernel knows no emulator for programs of an architecture."""
    names = {"arm64": "qemu-aarch64"}
    if not (Path("/proc/sys/fs/binfmt_misc") / names[architecture]).exists():
        pytest.skip(f"no emulator for {architecture} is registered")


def _elf(machine: int, order: str, code: bytes) -> bytes:
    """Return the smallest program that Linux starts: two headers, and its code behind them."""
    base, size = 0x400000, 120 + len(code)
    ident = b"\x7fELF" + bytes([2, 1 if order == "<" else 2, 1]) + bytes(9)
    header = (2, machine, 1, base + 120, 64, 0, 0, 64, 56, 1, 64, 0, 0)
    segment = (1, 5, 0, base, base, size, size, 0x1000)
    return (
        ident
        + struct.pack(f"{order}HHIQQQIHHHHHH", *header)
        + struct.pack(f"{order}IIQQQQQQ", *segment)
        + code
    )


def _archive(program: bytes) -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        entry = tarfile.TarInfo("program")
        entry.size, entry.mode = len(program), 0o755
        archive.addfile(entry, io.BytesIO(program))
    return held.getvalue()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _one(
    name: str,
    service: str,
    *,
    cause: str = "",
    image: str = "{busybox}",
    rest: str = "",
    timeout_s: float = 30.0,
) -> Seed:
    """Return a seed of one service that is called `app`.

    Without a health check it would count as running where it is slow to die; so it has one.
    """
    if "healthcheck" not in service:
        service = f"{textwrap.dedent(service).strip()}\n{_LATE_CHECK}"
    head = f"  app:\n    image: {image}\n    stop_grace_period: 0s\n"
    body = textwrap.indent(textwrap.dedent(service).strip(), "    ")
    return Seed(name, head + body, (("app", cause or name),), rest, timeout_s)


SEEDS: Final = (
    Seed("image-missing", f"  app: {{image: '{_NOWHERE}'}}", (("", "image-missing"),)),
    _one("wrong-platform", "", image=_S390X),
    _one("command-not-found", "command: [no-such-program]"),
    _one("permission-denied", "command: [/etc/hostname]"),
    _one("crash", "command: ['sh', '-c', 'echo no such table: users; exit 3']"),
    _one("crash-loop", 'command: sh -c "exit 7"\nrestart: always'),
    _one("out-of-memory", "command: tail /dev/zero\nmem_limit: 8m"),
    Seed(
        "port-taken",
        """\
  first:
    image: {busybox}
    command: sleep 60
    stop_grace_period: 0s
    ports: ["127.0.0.1:{port}:80"]
  second:
    image: {busybox}
    command: sleep 60
    stop_grace_period: 0s
    ports: ["127.0.0.1:{port}:80"]
    depends_on: [first]
""",
        (("second", "port-taken"),),
    ),
    _one(
        "missing-value",
        """
        command:
          - sh
          - -c
          - |
            echo "Error: Database is uninitialized and superuser password is not specified."
            echo "       You must specify POSTGRES_PASSWORD to a non-empty value for the"
            echo "       superuser."
            exit 1
        """,
    ),
    _one("read-only", 'command: sh -c "echo 1 > /run.pid"\nread_only: true'),
    _one(
        "probe-cannot-run",
        """
        command: httpd -f -p 8080
        expose: ["8080"]
        healthcheck: {test: [CMD, curl, -f, "http://127.0.0.1"], interval: 300ms}
        """,
    ),
    _one(
        "unhealthy",
        """
        command: sleep 60
        healthcheck: {test: "echo queue is full; exit 1", interval: 200ms, retries: 2}
        """,
    ),
    _one(
        "probe-timeout",
        """
        command: sleep 60
        healthcheck: {test: "sleep 5", interval: 200ms, timeout: 300ms, retries: 2}
        """,
    ),
    Seed(
        "dependency",
        """\
  db:
    image: {busybox}
    command: sh -c "echo no space for tables; exit 4"
    stop_grace_period: 0s
    healthcheck: {test: "exit 1", interval: 200ms}
  app:
    image: {busybox}
    command: sleep 60
    stop_grace_period: 0s
    depends_on: {db: {condition: service_healthy}}
""",
        (("db", "crash"), ("app", "dependency")),
    ),
    Seed(
        "name-unresolvable",
        """\
  database:
    image: {busybox}
    command: sleep 60
    stop_grace_period: 0s
  app:
    image: {busybox}
    command: nc databse 5432
    stop_grace_period: 0s
    healthcheck: {test: "exit 1", interval: 60s}
    depends_on: [database]
""",
        (("app", "name-unresolvable"),),
    ),
    _one(
        "volume-owner",
        'user: "1000:1000"\ncommand: sh -c "echo 1 > /data/file"\nvolumes: ["data:/data"]',
        rest="volumes: {data: {}}",
    ),
    _one(
        "disk-full",
        'command: dd if=/dev/zero of=/small/file bs=64k count=4\ntmpfs: ["/small:size=64k"]',
    ),
    _one(
        "never-ready",
        'command: sleep 60\nhealthcheck: {test: "exit 1", interval: 200ms, retries: 1000}',
        timeout_s=4.0,
    ),
)
assert len(SEEDS) == 18

VARIANTS: Final = (
    _one("emulated-and-ends", "", cause="wrong-platform", image=_ARM64),
    _one(
        "emulated-and-slow",
        "healthcheck: {test: [CMD, /program], timeout: 200ms, interval: 200ms, retries: 2}",
        cause="wrong-platform",
        image=_ARM64_LOOP,
    ),
    _one("not-in-a-shell", 'command: sh -c "migrate up"', cause="command-not-found"),
    _one("not-executable-in-a-shell", "command: sh -c /etc/hostname", cause="permission-denied"),
    _one(
        "denied-by-a-file",
        'user: "1000"\ncommand: sh -c "echo 1 > /etc/hostname"',
        cause="permission-denied",
    ),
    _one(
        "unset-in-a-shell",
        "command: ['sh', '-c', 'echo $${API_TOKEN:?must be set}']",
        cause="missing-value",
    ),
    _one(
        "read-only-mount",
        'command: sh -c "echo 1 > /data/file"\nvolumes: ["data:/data:ro"]',
        cause="read-only",
        rest="volumes: {data: {}}",
    ),
    _one(
        "check-not-in-the-shell",
        'command: sleep 60\nhealthcheck: {test: "curl x", interval: 300ms, start_period: 60s}',
        cause="probe-cannot-run",
    ),
    _one(
        "check-not-in-the-shell-or-else",
        "command: sleep 60\n"
        'healthcheck: {test: "curl -f x || exit 1", interval: 300ms, start_period: 60s}',
        cause="probe-cannot-run",
    ),
    _one(
        "check-not-executable",
        "command: sleep 60\nhealthcheck: {test: [CMD, /etc/hostname], interval: 300ms}",
        cause="probe-cannot-run",
    ),
    _one(
        "slow-check-in-a-start-period",
        """
        command: sleep 60
        healthcheck:
          {test: sleep 5, interval: 200ms, timeout: 200ms, start_period: 60s, start_interval: 200ms}
        """,
        cause="probe-timeout",
        timeout_s=6.0,
    ),
    _one(
        "tries-a-name-for-ever",
        """
        command: sh -c "while true; do nc databse 5432; sleep 0.2; done"
        healthcheck: {test: "exit 1", interval: 200ms, retries: 3}
        """,
        cause="name-unresolvable",
    ),
    _one(
        "complained-and-went-on",
        "command: ['sh', '-c', 'echo /data: Permission denied; echo fatal: no table; exit 2']",
        cause="crash",
    ),
    _one(
        "ended-before-its-check-held",
        'command: sh -c "echo done"\nhealthcheck: {test: "exit 1", interval: 200ms}',
        cause="crash",
    ),
    Seed(
        "on-another-network",
        """\
  database:
    image: {busybox}
    command: sleep 60
    stop_grace_period: 0s
    networks: [back]
  app:
    image: {busybox}
    command: nc database 5432
    stop_grace_period: 0s
    healthcheck: {test: "exit 1", interval: 60s}
    networks: [front]
    depends_on: [database]
""",
        (("app", "name-unresolvable"),),
        rest="networks: {front: {}, back: {}}",
    ),
    Seed(
        "chain-of-dependencies",
        """\
  db: {image: "{busybox}", command: "false", stop_grace_period: 0s, restart: "no"}
  migrate:
    image: {busybox}
    command: sleep 60
    stop_grace_period: 0s
    depends_on: {db: {condition: service_completed_successfully}}
  app:
    image: {busybox}
    command: sleep 60
    stop_grace_period: 0s
    depends_on: {migrate: {condition: service_completed_successfully}}
""",
        (("db", "one-shot-failed"), ("migrate", "dependency"), ("app", "dependency")),
    ),
    Seed(
        "variable-without-a-value",
        "  app: {image: '{busybox}', environment: {A: '$NOBODY_GAVE_THIS'}}",
        (("", "missing-value"),),
    ),
)
