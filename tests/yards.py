"""Repositories with services that the real engine builds by plans and decisions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from hullwright import build
from hullwright.build import BuildRequest, SourceVersion
from hullwright.config.models import Build, Config, Service
from hullwright.version import build_arguments, describe_services

if TYPE_CHECKING:
    from hullwright.build import BuildPlan, Decision, PlannedTarget
    from hullwright.tools.published import Lookup
    from hullwright.workspace import Workspace
    from repositories import Repository

PLAIN: Final = "FROM scratch\nARG VERSION\nARG FLAVOUR=none\nCOPY . /app\n"


@dataclass
class Yard:
    """A repository whose services the real engine builds.

    Attributes:
        repository: with one commit at least.
        project: unique name, by which its images are found and removed.
    """

    repository: Repository
    project: str
    services: dict[str, Service] = field(default_factory=dict)
    settings: Build = field(default_factory=Build)
    registry: str = ""

    @property
    def ws(self) -> Workspace:
        """The workspace of a run."""
        config = Config(
            self.project, services=self.services, build=self.settings, registry=self.registry
        )
        return self.repository.workspace(config)

    def service(self, name: str, dockerfile: str = PLAIN) -> Yard:
        """Add a service with a folder of its own."""
        self.services[name] = Service(
            name, context=name, dockerfile=f"{name}/Dockerfile", image=f"{self.project}/{name}"
        )
        self.repository.write(f"{name}/Dockerfile", dockerfile.replace("PROJECT", self.project))
        self.repository.write(f"{name}/app.py", f"print('{self.project} {name}')\n")
        return self

    def decided(
        self,
        request: BuildRequest | None = None,
        lookup: Lookup | None = None,
        *,
        push: bool = False,
    ) -> BuildPlan:
        """Return what a build would do."""
        request = request or BuildRequest()
        ws = self.ws
        versions = describe_services(ws)

        def source(service: Service) -> SourceVersion:
            version = versions[service.name]
            return SourceVersion(
                version.version,
                version.image_tag,
                version.revision,
                arguments=build_arguments(version),
                release=version.distance == 0 and not version.dirty and bool(version.tag),
                dirty=version.dirty,
            )

        return build.decide(ws, build.plan(ws, request, source), request, lookup, push=push)

    def build(self, request: BuildRequest | None = None) -> dict[str, Decision]:
        """Build what is not current, and return the decisions by service."""
        plan = self.decided(request)
        report = build.execute(self.ws, plan)
        assert not report.failed, report
        return {target.service: target.decision for target in plan.targets}

    def one(self, service: str = "api") -> PlannedTarget:
        """Return the decision on one service, without building."""
        (found,) = (t for t in self.decided().targets if t.service == service)
        return found
