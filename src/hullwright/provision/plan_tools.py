"""Decides on everything beside the engine: packages, sops, age, emulation, the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from hullwright.provision.apt import OWN, TOOL_PACKAGES
from hullwright.provision.facts import SOPS_FLOOR, Facts, at_least
from hullwright.provision.operations import (
    Action,
    Blocker,
    Command,
    Download,
    Operation,
    RemoveFile,
    WriteFile,
)
from hullwright.provision.plan_engine import chosen_offer

SOPS_PIN: Final = "v3.13.3"
# As published with the release; a file with another checksum is not kept.
_SOPS_SHA256: Final = {
    "amd64": "e5bec3346a873ae91d871550f3e698c1aad962aff462a080e40f25fde17fef6b",
    "arm64": "53b0abacd38ef1b12a66d6c100956691b9cefce018d91f81e73ddf7438b94d77",
}
AGE_PIN: Final = "v1.3.1"
COSIGN_PIN: Final = "v2.5.3"
ACTIONLINT_PIN: Final = "v1.7.12"

POLICY_FILE: Final = Path("/usr/sbin/policy-rc.d")
STAMP_NAME: Final = "hullwright-stamp"
# Relative to the top folder; a repository without it has no environment of ours.
LOCK: Final = "requirements/dev.txt"
_FOREIGN: Final = {"amd64": ("arm64", "qemu-aarch64"), "arm64": ("amd64", "qemu-x86_64")}
# A machine that has just started may be installing its own updates: wait for it to finish.
_APT_GET: Final = ("apt-get", "-o", "DPkg::Lock::Timeout=120")
_QUIET_APT: Final = (("DEBIAN_FRONTEND", "noninteractive"),)


def package_operation(facts: Facts) -> Operation | None:
    """Return the one installation of all packages that are missing."""
    offer = chosen_offer(facts)
    tools = _missing_packages(facts)
    words = (*(offer.packages if offer else ()), *tools)
    if not words:
        return None
    origin = "this release" if offer and offer.suite == OWN else offer.suite if offer else ""
    causes = [f"no engine is there, and {origin} has one"] if offer else []
    causes += [f"missing: {', '.join(tools)}"] if tools else []
    before, after = _kept_from_starting(facts, words)
    install = ("install", "--yes", "--no-install-recommends", *words)
    return Operation(
        "packages",
        "; ".join(causes),
        (
            *before,
            Command((*_APT_GET, "update"), _QUIET_APT),
            Command((*_APT_GET, *install), _QUIET_APT),
        ),
        cleanup=after,
    )


def _missing_packages(facts: Facts) -> list[str]:
    tools = facts.tools
    if not facts.machine.packaged or facts.apt is None:
        return []
    present = {
        "mmdebstrap": tools.mmdebstrap,
        "docker-registry": tools.docker_registry,
        "qemu-user-static": tools.qemu,
        "binfmt-support": tools.update_binfmts,
        "age": tools.age,
    }
    missing = []
    for names in TOOL_PACKAGES:
        if present[names[0]] is None:
            missing += [name for name in names if name in facts.apt.available][:1]
    if _needs_venv_package(facts) and not facts.python.ensurepip:
        missing.append("python3-venv")
    if _lacks_cosign(facts) and facts.apt.signing:
        missing.append(facts.apt.signing)
    return missing


def _lacks_cosign(facts: Facts) -> bool:
    return facts.signing and facts.tools.cosign is None


def _needs_venv_package(facts: Facts) -> bool:
    python = facts.python
    return python.wanted and python.uv is None and not python.pip


def _kept_from_starting(
    facts: Facts, words: tuple[str, ...]
) -> tuple[tuple[Action, ...], tuple[Action, ...]]:
    """Return what goes before and after, so that no package starts a service by itself.

    The registry's package would serve on a fixed port, which nobody asked for; and an engine that
    an init script starts would be without our configuration.
    """
    if facts.machine.systemd:
        mask = Command(("systemctl", "mask", "docker-registry.service"))
        return ((mask,) if "docker-registry" in words else ()), ()
    if facts.machine.policy_rc:
        return (), ()
    return (WriteFile(POLICY_FILE, "#!/bin/sh\nexit 101\n", 0o755),), (RemoveFile(POLICY_FILE),)


def program_operations(facts: Facts) -> list[Operation]:
    """Return the builds and downloads of programs that no package gives."""
    tools = facts.tools
    found = []
    if not at_least(tools.sops, SOPS_FLOOR):
        cause = f"sops {tools.sops} is older than 3.10" if tools.sops else "sops is missing"
        if tools.go:
            module = f"github.com/getsops/sops/v3/cmd/sops@{SOPS_PIN}"
            found.append(Operation(f"sops {SOPS_PIN}", cause, (_go_install(facts, module),)))
        elif facts.machine.arch in _SOPS_SHA256:
            found.append(Operation(f"sops {SOPS_PIN}", cause, (_sops_release(facts),)))
    if tools.age is None and "age" not in _missing_packages(facts) and tools.go:
        modules = [f"filippo.io/age/cmd/{name}@{AGE_PIN}" for name in ("age", "age-keygen")]
        actions = tuple(_go_install(facts, module) for module in modules)
        found.append(Operation(f"age {AGE_PIN}", "age is missing", actions))
    if _lacks_cosign(facts) and tools.go and not _missing_signing(facts):
        module = f"github.com/sigstore/cosign/v2/cmd/cosign@{COSIGN_PIN}"
        cause = "images are signed or verified, and no package here gives it"
        found.append(Operation(f"cosign {COSIGN_PIN}", cause, (_go_install(facts, module),)))
    if tools.actionlint is None and tools.go:
        module = f"github.com/rhysd/actionlint/cmd/actionlint@{ACTIONLINT_PIN}"
        action = _go_install(facts, module)
        found.append(Operation(f"actionlint {ACTIONLINT_PIN}", "it is missing", (action,)))
    return found


def _missing_signing(facts: Facts) -> bool:
    """Return whether the package of cosign is installed with the others."""
    return bool(facts.apt and facts.apt.signing) and facts.machine.packaged


def _go_install(facts: Facts, module: str) -> Command:
    return Command(
        ("go", "install", "-trimpath", module),
        (("GOBIN", str(facts.cache / "bin")),),
        facts.cache,
    )


def _sops_release(facts: Facts) -> Download:
    arch = facts.machine.arch
    folder = f"https://github.com/getsops/sops/releases/download/{SOPS_PIN}"
    return Download(
        f"{folder}/sops-{SOPS_PIN}.linux.{arch}", _SOPS_SHA256[arch], facts.cache / "bin" / "sops"
    )


def emulation_operation(facts: Facts) -> Operation | None:
    """Return the registration of the other platform's emulator; optional, for it needs a kernel."""
    tools = facts.tools
    if tools.emulation or not facts.machine.packaged or facts.machine.arch not in _FOREIGN:
        return None
    platform, name = _FOREIGN[facts.machine.arch]
    mount = Command(("mount", "-t", "binfmt_misc", "binfmt_misc", "/proc/sys/fs/binfmt_misc"))
    enable = Command(("update-binfmts", "--enable", name))
    return Operation(
        f"linux/{platform} emulation",
        "images for the other platform cannot be built yet",
        (enable,) if tools.binfmt_mounted else (mount, enable),
        optional=True,
    )


def environment_operation(facts: Facts) -> Operation | None:
    """Return the filling of `.venv` from the hash-pinned lock."""
    python = facts.python
    if not python.wanted:
        return None
    folder = facts.root / ".venv"
    inside = str(folder / "bin" / "python")
    uv = python.uv or str(folder / "bin" / "uv")
    actions: list[Action] = []
    if python.state == "absent":
        with_pip = python.uv is None and not python.pip
        words = ("-m", "venv", "--clear", *(() if with_pip else ("--without-pip",)), str(folder))
        actions.append(Command((python.python, *words)))
    if python.uv is None:
        pip = (
            (python.python, "-m", "pip", "--python", inside)
            if python.pip
            else (inside, "-m", "pip")
        )
        locked = ("--require-hashes", "--only-binary=:all:", "-r", "requirements/uv.txt")
        actions.append(Command((*pip, "install", "--quiet", *locked), cwd=facts.root))
    aim = ("--quiet", "--python", inside)
    actions += [
        Command(
            (uv, "pip", "sync", *aim, "--require-hashes", "--no-build", LOCK),
            cwd=facts.root,
        ),
        Command(
            (uv, "pip", "install", *aim, "--no-deps", "--no-build-isolation", "--editable", "."),
            cwd=facts.root,
        ),
        WriteFile(folder / STAMP_NAME, python.stamp + "\n"),
    ]
    cause = "the lock or the metadata changed" if python.state == "stale" else "it is missing"
    return Operation("Python environment .venv", cause, tuple(actions))


def blockers(facts: Facts) -> list[Blocker]:
    """Return the tools that are needed and that setup has no way to."""
    tools, machine = facts.tools, facts.machine
    found = []
    if not at_least(tools.sops, SOPS_FLOOR) and not tools.go and machine.arch not in _SOPS_SHA256:
        found.append(
            Blocker(
                "sops",
                "sops 3.10 or newer is missing",
                f"there is no Go to build it, and no release for {machine.arch} is pinned",
                "install it: https://github.com/getsops/sops/releases",
            )
        )
    if tools.age is None and not tools.go and "age" not in _missing_packages(facts):
        found.append(
            Blocker(
                "age",
                "age is missing",
                "there is no Go to build it, and setup cannot install packages here",
                "install the package age of this system",
            )
        )
    python = facts.python
    if _needs_venv_package(facts) and not python.ensurepip and not machine.packaged:
        found.append(
            Blocker(
                "Python environment .venv",
                "the Python environment cannot be filled",
                f"{python.python} has neither pip nor ensurepip, and uv is not on PATH",
                "install uv, or the package python3-venv of this system",
            )
        )
    return found


def warnings(facts: Facts) -> list[str]:
    """Return what will work less well on this machine, because setup cannot add it here."""
    tools, told = facts.tools, []
    if not facts.machine.packaged:
        lacking = [
            name
            for name, found in (
                ("mmdebstrap", tools.mmdebstrap),
                ("docker-registry", tools.docker_registry),
            )
            if found is None
        ]
        if lacking:
            told.append(f"{', '.join(lacking)}: missing; stand-ins and some tests need it")
        if not tools.emulation:
            told.append("images for other platforms cannot be built: no emulator is registered")
    if _lacks_cosign(facts) and tools.go is None and not _missing_signing(facts):
        told.append("cosign: missing, and no package here gives it; signing and verifying need it")
    if tools.actionlint is None and tools.go is None:
        told.append("actionlint: missing, and there is no Go to build it; lint needs it")
    return told
