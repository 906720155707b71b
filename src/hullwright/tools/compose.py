"""Docker Compose: its argument lists, and what it prints as values.

Parsed are `config --format json` (the resolved model) and `config --no-interpolate` (the same as
it is written, before any value stands in it).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Condition = Literal["service_started", "service_healthy", "service_completed_successfully"]

PROJECT_LABEL: Final = "com.docker.compose.project"
SERVICE_LABEL: Final = "com.docker.compose.service"
NUMBER_LABEL: Final = "com.docker.compose.container-number"
HASH_LABEL: Final = "com.docker.compose.config-hash"
ONEOFF_LABEL: Final = "com.docker.compose.oneoff"
_DURATION_S: Final = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
}


@dataclass(frozen=True, slots=True)
class Invocation:
    """How Compose is called for one stack.

    Attributes:
        files: compose files in the order in which they override; empty lets Compose find them.
        overrides: files that come after them; `-` is standard input.
        project: name of the project; empty for what Compose takes itself.
        profiles: profiles that are on.
        dotenv: whether the project's `.env` fills in for variables.
        env_files: files that do so in its place, a later one before those that precede it.
    """

    files: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    project: str = ""
    profiles: tuple[str, ...] = ()
    dotenv: bool = True
    env_files: tuple[str, ...] = ()

    def argv(self, *words: str) -> list[str]:
        """Return the whole command for a subcommand and its words."""
        argv = ["docker", "compose"]
        for file in (*self.files, *self.overrides):
            argv += ["--file", file]
        if self.project:
            argv += ["--project-name", self.project]
        for profile in self.profiles:
            argv += ["--profile", profile]
        if not self.dotenv:
            # Without it, values of an old .env fill in for what is missing.
            argv += ["--env-file", "/dev/null"]
        for file in self.env_files if self.dotenv else ():
            argv += ["--env-file", file]
        return [*argv, *words]

    def config(self) -> list[str]:
        """Return the command that prints the resolved model."""
        return self.argv("config", "--format", "json")

    def written(self) -> list[str]:
        """Return the command that prints the model as it is written, variables unresolved."""
        return self.argv("config", "--no-interpolate", "--format", "json")

    def hashes(self) -> list[str]:
        """Return the command that prints each service's configuration hash."""
        return self.argv("config", "--hash", "*")

    def up(self, services: Sequence[str] = (), *, recreate: bool = True) -> list[str]:
        """Return the command that starts what is there; it neither builds nor pulls.

        Without `recreate`, containers stay whose image or configuration changed.
        """
        kept = () if recreate else ("--no-recreate",)
        return self.argv("--progress", "plain", "up", "--detach", "--no-build", *kept, *services)

    def build(self, services: Sequence[str]) -> list[str]:
        """Return the command that builds the images of services."""
        return self.argv("--progress", "plain", "build", *services)

    def pull(self, services: Sequence[str] = ()) -> list[str]:
        """Return the command that fetches the images that are missing."""
        return self.argv("--progress", "plain", "pull", "--policy", "missing", *services)


@dataclass(frozen=True, slots=True)
class Port:
    """A port of a service that is published on the host.

    Attributes:
        target: port in the container.
        published: port on the host, a range `8000-8010`, or empty for an ephemeral one.
        host_ip: address on the host; empty for all.
        protocol: `tcp` or `udp`.
    """

    target: int
    published: str = ""
    host_ip: str = ""
    protocol: str = "tcp"


@dataclass(frozen=True, slots=True)
class Probe:
    """A health check as the compose file has it.

    Attributes:
        disabled: it is switched off, the image's own included.
        test: its command as Docker has it (`CMD`, words …); empty where the image's is meant.
        interval_s, start_period_s, start_interval_s, timeout_s: None where left out.
        retries: None where left out.
    """

    disabled: bool = False
    test: tuple[str, ...] = ()
    interval_s: float | None = None
    start_period_s: float | None = None
    start_interval_s: float | None = None
    timeout_s: float | None = None
    retries: int | None = None


@dataclass(frozen=True, slots=True)
class Dependency:
    """What a service waits for.

    Attributes:
        service: its name.
        condition: what must hold of it.
        required: whether it must be there at all.
    """

    service: str
    condition: Condition = "service_started"
    required: bool = True


@dataclass(frozen=True, slots=True)
class ComposeService:
    """A service of the resolved model.

    Attributes:
        name: its name.
        image: its image as written; empty where only `build` stands there.
        build: context, dockerfile and target of its `build`; None without.
        restart: the restart policy that is written; empty where none is.
        scale: containers that it is to have.
        depends_on: what it waits for.
        probe: its health check; None where the file has none (the image may have one).
        ports: what it publishes.
        raw: the service as Compose prints it.
    """

    name: str
    image: str = ""
    build: Build | None = None
    restart: str = ""
    scale: int = 1
    depends_on: tuple[Dependency, ...] = ()
    probe: Probe | None = None
    ports: tuple[Port, ...] = ()
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def provided(self) -> bool:
        """Whether a program on the host makes it: it has no container of its own."""
        return bool(self.raw.get("provider"))


@dataclass(frozen=True, slots=True)
class Build:
    """The `build` of a service: absolute context, dockerfile relative to it, target or empty."""

    context: str
    dockerfile: str = "Dockerfile"
    target: str = ""


@dataclass(frozen=True, slots=True)
class Model:
    """A compose project, resolved.

    Attributes:
        name: the project's name.
        services: by name; only those whose profile is on.
        raw: the whole as Compose prints it; holds values, so it is never shown or written.
    """

    name: str
    services: Mapping[str, ComposeService]
    raw: Mapping[str, Any] = field(repr=False)

    def closure(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the services and all that they depend on, in the model's order; all for none."""
        wanted, found = list(names) or list(self.services), set[str]()
        while wanted:
            name = wanted.pop()
            if name in self.services and name not in found:
                found.add(name)
                wanted += [dependency.service for dependency in self.services[name].depends_on]
        return tuple(name for name in self.services if name in found)


def parse_model(text: str) -> Model:
    """Return the model that `docker compose config --format json` printed."""
    raw = json.loads(text)
    services = {name: _service(name, entry) for name, entry in (raw.get("services") or {}).items()}
    return Model(raw.get("name", ""), services, raw)


def parse_hashes(text: str) -> dict[str, str]:
    """Return the configuration hash of each service from `config --hash '*'`."""
    return dict(cast("tuple[str, str]", line.split(None, 1)) for line in text.splitlines() if line)


def duration_s(text: str | float | None) -> float | None:
    """Return the seconds of a duration as Compose prints it: `1m30s`, `250ms`; None for none."""
    if text is None or not isinstance(text, str):
        return None if text is None else float(text) * 1e-9
    total, number, rest = 0.0, "", text
    while rest:
        if rest[0] in "0123456789.":
            number, rest = number + rest[0], rest[1:]
            continue
        unit = rest[:2] if rest[:2] in _DURATION_S else rest[:1]
        total, number, rest = total + float(number) * _DURATION_S[unit], "", rest[len(unit) :]
    return total


def _service(name: str, raw: Mapping[str, Any]) -> ComposeService:
    deploy = raw.get("deploy") or {}
    return ComposeService(
        name=name,
        image=raw.get("image") or "",
        build=_build(raw.get("build")),
        restart=raw.get("restart") or _deploy_restart(deploy),
        scale=_first_int(raw.get("scale"), deploy.get("replicas")),
        depends_on=tuple(
            Dependency(
                other, entry.get("condition", "service_started"), entry.get("required", True)
            )
            for other, entry in (raw.get("depends_on") or {}).items()
        ),
        probe=_probe(raw.get("healthcheck")),
        ports=tuple(_port(entry) for entry in raw.get("ports") or ()),
        raw=raw,
    )


def _first_int(*values: int | str | None) -> int:
    return next((int(value) for value in values if value is not None), 1)


def _deploy_restart(deploy: Mapping[str, Any]) -> str:
    # https://docs.docker.com/reference/compose-file/deploy/#restart_policy
    policy = deploy.get("restart_policy") or {}
    condition, most = policy.get("condition", ""), policy.get("max_attempts")
    if condition == "on-failure" and most:
        return f"on-failure:{most}"
    return str({"none": "no", "any": "always"}.get(condition, condition))


def _build(raw: Mapping[str, Any] | None) -> Build | None:
    if raw is None:
        return None
    return Build(
        raw.get("context", "."), raw.get("dockerfile", "Dockerfile"), raw.get("target", "")
    )


def _probe(raw: Mapping[str, Any] | None) -> Probe | None:
    if raw is None:
        return None
    test = raw.get("test") or ()
    words = (test,) if isinstance(test, str) else tuple(test)
    return Probe(
        disabled=bool(raw.get("disable")) or words[:1] == ("NONE",),
        test=words,
        interval_s=duration_s(raw.get("interval")),
        start_period_s=duration_s(raw.get("start_period")),
        start_interval_s=duration_s(raw.get("start_interval")),
        timeout_s=duration_s(raw.get("timeout")),
        retries=raw.get("retries"),
    )


def _port(raw: Mapping[str, Any]) -> Port:
    return Port(
        target=int(raw["target"]),
        published=str(raw.get("published") or ""),
        host_ip=raw.get("host_ip") or "",
        protocol=raw.get("protocol") or "tcp",
    )
