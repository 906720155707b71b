"""Carrying out: pulls, and stand-ins from Debian's packages. Decides nothing."""

from __future__ import annotations

import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hullwright.bases import packages
from hullwright.bases.gotoolchain import fetch_toolchain
from hullwright.bases.models import RECIPE_LABEL, STAND_IN_LABEL, Build, Done, Pull
from hullwright.bases.recipes import module_file
from hullwright.errors import HullwrightError, UnavailableError
from hullwright.files import lock
from hullwright.run import cache_dir
from hullwright.tools import mmdebstrap

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullwright.bases.models import Plan, Recipe
    from hullwright.workspace import Workspace

# Debian 13's day of release: times in the image do not depend on when it is built.
_SOURCE_DATE_EPOCH: Final = "1754697600"
_OS_RELEASE: Final = Path("/etc/os-release")


def execute(ws: Workspace, plan: Plan) -> tuple[Done, ...]:
    """Carry out a plan; return each operation with its seconds.

    Raises:
        UnavailableError: a registry does not give an image, or a tool is missing.
        LockedError: another run prepares images on this machine.
    """
    if not plan.operations:
        return ()
    done = []
    with lock(cache_dir(ws.environ) / "images.lock", "the preparation of base images"):
        for operation in plan.operations:
            started = time.monotonic()
            with ws.console.step(str(operation)):
                if isinstance(operation, Pull):
                    _pull(ws, operation)
                else:
                    _build(ws, operation)
            done.append(Done(operation, time.monotonic() - started))
    return tuple(done)


def _pull(ws: Workspace, pull: Pull) -> None:
    words = ("docker", "pull", "--quiet", "--platform", str(pull.platform), pull.source)
    result = ws.runner.run(*words, check=False)
    if not result.ok:
        facts = [(answer.host, answer.words) for answer in pull.asked]
        facts.append(("engine", "\n".join(result.tail(3))))
        raise UnavailableError(
            f"{pull.image} could not be pulled",
            why=facts,
            next_step=_remedy(pull),
        )
    if pull.source != pull.image:
        ws.runner.run("docker", "image", "tag", pull.source, pull.image)
    packages.forget(ws, pull.image)


def _remedy(pull: Pull) -> str:
    verdicts = {answer.verdict for answer in pull.asked}
    if verdicts == {"unreachable"}:
        return (
            "invoke images --prepare --stand-ins   (builds what deploy/base-images has recipes for)"
        )
    if any(answer.status in {401, 403} for answer in pull.asked):
        return f"docker login {pull.asked[0].host}"
    if any(answer.status == 429 for answer in pull.asked):
        return "wait, log in (docker login), or name a mirror: [build] mirror"
    return "correct the name of the image, or try again later"


def _build(ws: Workspace, build: Build) -> None:
    ws.runner.resolve("mmdebstrap")
    with tempfile.TemporaryDirectory(prefix="hullwright-base-") as name:
        context = Path(name) / "context"
        # ADD takes archives from the build context only, so the recipe goes to where they are.
        shutil.copytree(build.recipe.folder, context)
        for module in build.recipe.modules:
            (context / "hullwright" / module).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(module_file(module), context / "hullwright" / module)
        toolchains = {}
        for platform in build.platforms:
            _root_file_system(ws, build.recipe, platform.arch, context)
            if build.recipe.go_toolchain:
                found = fetch_toolchain(ws, build.recipe.go_toolchain, platform.arch)
                toolchains[f"toolchain-{platform.arch}"] = found
        _image(ws, build, context, toolchains)
    packages.forget(ws, build.image)
    # It tells a lock whether packages moved; the image is there without it.
    with suppress(HullwrightError):
        packages.note(ws, build.image, build.recipe.digest)


def _root_file_system(ws: Workspace, recipe: Recipe, arch: str, context: Path) -> None:
    source = _source(ws, recipe.suite)
    own = context.parent / "debian.sources"
    if source.is_debians_own:
        own.write_text(f"{mmdebstrap.Source(source.uri).text(recipe.suite)}\n", encoding="utf-8")
        own.chmod(0o644)
    hooks = context / "hooks"
    command = mmdebstrap.argv(
        suite=recipe.suite,
        arch=arch,
        packages=recipe.packages,
        exclude=recipe.exclude,
        hooks=hooks if hooks.is_dir() else None,
        sources=own if source.is_debians_own else None,
        archive_file=context / f"rootfs-{arch}.tar",
    )
    ws.runner.run(*command, stdin=f"{source.text(recipe.suite)}\n", env=_environment(ws))


def _source(ws: Workspace, suite: str) -> mmdebstrap.Source:
    """Return where this machine gets Debian's packages; the stand-in is made from there."""
    codename = ""
    if _OS_RELEASE.is_file():
        for line in _OS_RELEASE.read_text(encoding="utf-8").splitlines():
            if line.startswith("VERSION_CODENAME="):
                codename = line.partition("=")[2].strip('"')
    targets = mmdebstrap.parse_targets(ws.runner.read(*mmdebstrap.TARGETS_ARGV).stdout)
    found = mmdebstrap.archive(targets, codename, suite)
    if found is None:
        raise UnavailableError(
            "this machine has no source of Debian's packages, which stand-ins are made from",
            why="apt-get indextargets names none with the component main",
            next_step="prepare the images on a Debian machine, or name a mirror: [build] mirror",
        )
    file = Path(found.entry.rpartition(":")[0])
    text = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
    return mmdebstrap.Source(found.uri, mmdebstrap.signing_keyring(found.entry, text))


def _environment(ws: Workspace) -> dict[str, str]:
    told = ws.runner.read(*mmdebstrap.PROXY_ARGV, check=False).stdout.strip()
    proxy = {"http_proxy": told} if told and "http_proxy" not in ws.environ else {}
    return {"SOURCE_DATE_EPOCH": _SOURCE_DATE_EPOCH, **proxy}


def _image(ws: Workspace, build: Build, context: Path, toolchains: Mapping[str, Path]) -> None:
    # The engine's own builder has the name of the context; any other would keep the image.
    builder = ws.runner.read("docker", "context", "show").stdout.strip() or "default"
    labels = {STAND_IN_LABEL: build.image, RECIPE_LABEL: build.recipe.digest}
    command = ["docker", "buildx", "build", "--builder", builder, "--load", "--provenance=false"]
    command += ["--platform", ",".join(str(platform) for platform in build.platforms)]
    command += [word for key, value in labels.items() for word in ("--label", f"{key}={value}")]
    for name, place in toolchains.items():
        command += ["--build-context", f"{name}={place}"]
    bundle = ws.root / ws.config.build.ca_bundle
    if bundle.is_file():
        # For a recipe that downloads what Debian does not package; no layer keeps the secret.
        command += ["--secret", f"id=ca-bundle,src={bundle}"]
    command += ["--tag", build.image, str(context)]
    ws.runner.run(*command, env={"SOURCE_DATE_EPOCH": _SOURCE_DATE_EPOCH})
