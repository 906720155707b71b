"""What the task `push` does: rights, build, content, checks, gates, and the tags at last."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar

from hullwright.tasks.starting import running

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hullwright.build import BuildPlan, BuildReport, BuildRequest, PlannedTarget, TargetResult
    from hullwright.build.currency import There
    from hullwright.history import Status
    from hullwright.push import Content, MovePlan, PushPlan
    from hullwright.push.models import Clients
    from hullwright.push.pushed import Pushed
    from hullwright.push.release import StackPart
    from hullwright.push.signing import Signer
    from hullwright.report.push import Shown
    from hullwright.sizes import ImageSizes
    from hullwright.tasks.pushoptions import Options
    from hullwright.tasks.session import Session
    from hullwright.tools.published import Lookup, Published, Wanted


def run_push(session: Session, request: BuildRequest, options: Options, output_format: str) -> None:
    """Push what is asked for and show what came of it.

    Ends with 1 where a build failed, something did not hold or the tags could not be moved; then
    no release tag is another one than before.
    """
    from hullwright import push
    from hullwright.tasks.building import planned
    from hullwright.tasks.locking import hold_to_lock
    from hullwright.tasks.pushplans import push_plan
    from hullwright.tasks.releasing import release_parts

    push.require_registry(session.config)
    hold_to_lock(session, request)
    plan = planned(session, request, push=True)
    _refuse_outputs(plan)
    wanted = push_plan(session, plan, options.ref, part=options.share == "part")
    parts = release_parts(session, options.release_file) if options.release_file else ()
    run = _kind(options)(session, request, options, output_format, plan, wanted, parts)
    for note in plan.notes:
        session.console.note(f"! {note}")
    if session.dry:
        session.console.result(run.told())
        return
    with push.releasing(session.workspace):
        run.check()
        services = list(dict.fromkeys(image.service for image in wanted.images))
        tags = [f"{image.repository}:{tag}" for image in wanted.images for tag in image.tags]
        told = {"services": services, "tags": tags, "references": run.references}
        with running(session, "push", **told) as work:
            # What follows a push follows the release, which a part is not.
            work.held = options.share != "part"
            run.run()


def _kind(options: Options) -> type[Push]:
    if not options.share:
        return Push
    from hullwright.tasks import sharing

    return sharing.Part if options.share == "part" else sharing.Join


def _refuse_outputs(plan: BuildPlan) -> None:
    from hullwright.errors import UsageError

    if not plan.stores:
        raise UsageError(
            "a push decides where images go, and --set sends them elsewhere",
            why=[("set", override) for override in plan.overrides],
            next_step="leave the override of `output` out, or: invoke build --set …",
        )


@dataclass
class Push:
    """One push; a part of one and what joins them differ in what is built, and how."""

    # Where an image must be for nothing to be built.
    there: ClassVar[There] = "anywhere"

    session: Session
    request: BuildRequest
    options: Options
    output_format: str
    planned: BuildPlan
    wanted: PushPlan
    parts: Sequence[StackPart] = ()
    # By digest; the hook after a push is told of them, so the list is filled while it runs.
    references: list[str] = field(default_factory=list)
    sizes: Sequence[ImageSizes] = ()
    driver: str = "docker"
    clients: Clients = field(default_factory=dict)
    signer: Signer | None = None
    warned: list[str] = field(default_factory=list)
    started_s: float = field(default_factory=time.monotonic)

    def check(self) -> None:
        """Find out what would stop this push before anything is built."""
        from hullwright import push
        from hullwright.tasks.pushbases import bases_of
        from hullwright.tasks.signing import signer_of
        from hullwright.tools import builders

        workspace = self.session.workspace
        self.connect()
        push.check_rights(self.clients, self.wanted.repositories)
        # A part gets no tags, so nothing is promised of it yet.
        self.signer = None if self.options.share == "part" else signer_of(self.session)
        self.driver = builders.current(workspace).driver
        if self.driver == "docker":
            # Elsewhere bases are not in this store; what was pushed tells of them afterwards.
            allowed = self.options.allow_stand_ins
            push.refuse_stand_ins(bases_of(self.session, self.planned), allowed=allowed)

    def connect(self) -> None:
        """Make the clients of the registries that images go to."""
        from hullwright.images import Reference
        from hullwright.tools.registryclient import connect

        domains = {Reference.parse(name).domain for name in self.wanted.repositories}
        self.clients = {domain: connect(self.session.workspace, domain) for domain in domains}

    def run(self) -> None:
        """Build, stage, check, gate and move; show and record what came of it."""
        from hullwright import push

        built = self._build()
        pushed = push.Pushed(self.wanted, self.session.version.version, self._revision())
        if not built.interrupted:
            pushed = replace(pushed, staged=self._staged(built))
        if built.failed or built.interrupted:
            self._end(built, pushed)
            return
        pushed = self._moved_or_refused(built, pushed)
        if pushed.done:
            pushed = self._finished_or_told(built, pushed)
        self._end(built, pushed)

    def told(self) -> str:
        """Return what this push would do, for a person."""
        decided = self.decided()
        return f"{self.wanted.text()}\n\n{decided.text()}"

    def decided(self) -> BuildPlan:
        """Return the plan with a decision for each image, none of which makes a false release."""
        from hullwright import build

        workspace, look = self.session.workspace, self._lookup()
        plan = build.decide(
            workspace, self.planned, self.request, look, push=True, there=self.there
        )
        return self._taggable(build.spread(plan))

    def _taggable(self, plan: BuildPlan) -> BuildPlan:
        """Return a decided plan none of whose images gets a tag that would say what is not so."""
        from hullwright import push

        versions = {
            (target.service, target.target): target.decision.version or target.version
            for target in plan.targets
        }
        self.wanted = push.of_sources(self.wanted, versions)
        for warning in push.moved_by_changes(self.wanted, versions):
            # A join that lacks parts decides twice.
            if warning not in self.warned:
                self.warned.append(warning)
                self.session.console.warn(warning)
        return plan

    def _build(self) -> BuildReport:
        from hullwright.tasks.building import built, explain

        decided = self.decided()
        if self.options.why:
            explain(self.session, decided)
        targets = tuple(self._directed(target) for target in decided.targets)
        return built(self.session, replace(decided, targets=targets))

    def _lookup(self) -> Lookup:
        """Return what finds content also under the tags that this release has, or moves."""
        from hullwright.tools.published import lookup

        look = lookup(self.session.workspace)

        tags = {image.repository: image.tags for image in self.wanted.images}

        def found(wanted: Sequence[Wanted]) -> Mapping[str, Published]:
            return look(
                [replace(w, tags=_union(w.tags, tags.get(w.repository, ()))) for w in wanted]
            )

        return found

    def _directed(self, target: PlannedTarget) -> PlannedTarget:
        """Return a target that goes where this push wants it: to the store, or to the registry."""
        from hullwright import build, push

        if target.decision.action != "build":
            return target
        image = self.wanted.image(target.service, target.target)
        generator = self.session.config.build.sbom_generator
        attested = push.attested(self.wanted.attestations, generator) if image else ()
        bake = replace(target.bake, attestations=attested or target.bake.attestations)
        if self.driver != "docker":
            outputs = push.by_digest(image.repository) if image else push.NOWHERE
            outputs = build.rewriting(outputs, target.name) if target.reproducible else outputs
            # A tag beside a digest is refused: the tags come last.
            bake = replace(bake, tags=(), outputs=outputs)
        return replace(target, bake=bake)

    def _staged(self, built: BuildReport) -> tuple[Content, ...]:
        from hullwright import push

        contents = [
            self._content(target, image.repository)
            for target in built.targets
            for image in [self.wanted.image(target.service, target.target)]
            if image and target.status in {"built", "current", "joined"}
        ]
        if not contents:
            return ()
        count = "1 image" if len(contents) == 1 else f"{len(contents)} images"
        with self.session.console.step(f"content of {count}"):
            return push.Stager(self.session.workspace, self.clients).stage(contents)

    def _content(self, target: TargetResult, repository: str) -> Content:
        from hullwright import push
        from hullwright.tasks.pushnodes import whole_digest

        return push.Content(
            service=target.service,
            target=target.target,
            repository=repository,
            digest=whole_digest(self.clients, target, repository),
            fingerprint=target.fingerprint,
            platforms=target.platforms,
            version=target.version,
            revision=target.revision,
            local=target.reference if target.stored else "",
            status=target.status,
        )

    def _moved_or_refused(self, built: BuildReport, pushed: Pushed) -> Pushed:
        """Let the tags move; where something does not hold, machines get what is known first."""
        from hullwright.errors import CheckFailedError

        try:
            pushed = self._checked(pushed)
            pushed = self._gated(pushed)
            pushed = self._signed(pushed)
            return self._moved(pushed)
        except CheckFailedError as refused:
            if self.output_format != "text":
                seconds = time.monotonic() - self.started_s
                self._show(built, replace(pushed, refusal=refused.what, seconds=seconds))
            raise

    def _checked(self, pushed: Pushed) -> Pushed:
        from hullwright import push
        from hullwright.bases.models import STAND_IN_LABEL

        images = push.check(self.clients, pushed.staged, self.wanted.attestations)
        based = ((one.content.name, one.label(STAND_IN_LABEL)) for one in images)
        push.refuse_stand_ins(based, allowed=self.options.allow_stand_ins)
        self.references.extend(image.content.reference for image in images)
        return replace(pushed, images=images)

    def _gated(self, pushed: Pushed) -> Pushed:
        from hullwright import push

        # Before the commands: what signs or announces images sees only those that hold.
        self._hold_budgets(pushed)
        gates = push.gates(
            self.session.workspace,
            self.wanted,
            pushed.images,
            version=pushed.version,
            revision=pushed.revision,
        )
        return replace(pushed, gates=gates)

    def _hold_budgets(self, pushed: Pushed) -> None:
        from hullwright import sizes
        from hullwright.tasks.pushbudgets import measured

        if not self.wanted.budgets:
            return
        with self.session.console.step("budgets"):
            report = measured(
                self.session,
                [image.content for image in pushed.images],
                lambda: {move.digest for move in self._moves(pushed).moves if not move.done},
            )
        self.sizes = report.images
        for warning in sizes.hold(report):
            self.session.console.warn(warning)

    def _signed(self, pushed: Pushed) -> Pushed:
        """Sign what holds: a signature is a promise, so nothing that was refused has one."""
        if self.signer is None:
            return pushed
        from hullwright.push.signing import sign

        signed = sign(self.session.workspace, self.signer, pushed.images)
        return replace(pushed, signed=signed)

    def _moved(self, pushed: Pushed) -> Pushed:
        from hullwright import push

        return replace(pushed, moves=push.move(self.clients, self._moves(pushed)))

    def _moves(self, pushed: Pushed) -> MovePlan:
        from hullwright import push

        named = [
            image.named(content, self._other_tags(content))
            for content in pushed.staged
            for image in [self.wanted.image(content.service, content.target)]
            if image
        ]
        return push.plan_moves(self.clients, named)

    def _finished_or_told(self, built: BuildReport, pushed: Pushed) -> Pushed:
        """Clear up; where that fails, say first that the release is out all the same."""
        from hullwright.errors import HullwrightError

        try:
            return self._finished(pushed)
        except HullwrightError:
            self._show(built, replace(pushed, seconds=time.monotonic() - self.started_s))
            self.session.console.warn("every tag names this release; only what follows it failed")
            raise

    def _finished(self, pushed: Pushed) -> Pushed:
        from hullwright import push
        from hullwright.tasks.releasing import write_release

        left = push.remove_staging_tags(self.clients, pushed.staged, pushed.tags_of)
        file = self.options.release_file
        if file:
            tags = {(one.service, one.target): pushed.tags_of(one) for one in pushed.staged}
            write_release(self.session, file, self.clients, pushed.staged, tags, self.parts)
        return replace(pushed, staging_left=left, release_file=file)

    def _end(self, built: BuildReport, pushed: Pushed) -> None:
        from hullwright.report import push as report
        from hullwright.tasks.building import draw

        session = self.session
        shown = self._show(built, replace(pushed, seconds=time.monotonic() - self.started_s))
        draw(session, built, self.options.timeline)
        interrupted = built.interrupted or bool(pushed.moves and pushed.moves.interrupted)
        status: Status = "interrupted" if interrupted else "done" if pushed.done else "failed"
        session.record("push", report.as_json(shown), status)
        if interrupted:
            session.console.error("interrupted")
            session.end(130)
        session.leave(held=pushed.done, why=report.reason(shown))

    def _show(self, built: BuildReport, pushed: Pushed) -> Shown:
        from hullwright import sizes
        from hullwright.report import push as report

        figures = sizes.of_build(self.session.workspace, built)
        shown = (built, figures, pushed, self.sizes)
        self.session.show(report, shown, self.output_format, summarise=True)
        return shown

    def _other_tags(self, content: Content) -> tuple[str, ...]:
        from hullwright import push

        if not self.options.all_tags:
            return ()
        return push.local_tags(self.session.workspace, content)

    def _revision(self) -> str:
        return self.session.version.revision


def _union(*groups: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for group in groups for word in group))
