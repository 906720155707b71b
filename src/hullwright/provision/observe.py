"""Looks at a machine and returns the facts; changes nothing."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import platform
import re
import socket
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hullwright.errors import HullwrightError, UnavailableError
from hullwright.provision import state
from hullwright.provision.facts import (
    ENGINE_PACKAGES,
    Engine,
    EngineState,
    Facts,
    Machine,
    PythonEnvironment,
    Tools,
    version_tuple,
)
from hullwright.provision.observe_apt import observe_apt
from hullwright.provision.observe_registry import observe_registry
from hullwright.provision.plan_engine import DAEMON_FILE
from hullwright.provision.plan_tools import LOCK, POLICY_FILE, STAMP_NAME
from hullwright.run import cache_dir, machine_state_dir

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullwright.run import Runner

_SOCKET: Final = Path("/var/run/docker.sock")
_BINFMT: Final = Path("/proc/sys/fs/binfmt_misc")
_GO_FLOOR: Final = (1, 21)
_ARCHES: Final = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_FOREIGN_FORMAT: Final = {"amd64": "qemu-aarch64", "arm64": "qemu-x86_64"}


def observe(runner: Runner, root: Path) -> Facts:
    """Return the facts of this machine and of the repository at `root`.

    What takes time is asked at the same time. The package manager is asked only if something is
    missing that it could give.
    """
    machine = observe_machine()
    facts = Facts(
        root=root,
        cache=cache_dir(runner.environ),
        state=machine_state_dir(runner.environ),
        plugins=_docker_config(runner.environ) / "cli-plugins",
        machine=machine,
        signing=signs(root),
    )
    with ThreadPoolExecutor() as pool:
        engine = pool.submit(_observe_engine, runner, facts.state)
        tools = pool.submit(_observe_tools, runner, machine)
        python = pool.submit(observe_python, runner, root)
        facts = replace(facts, registry=observe_registry(facts.state), python=python.result())
        facts = replace(facts, engine=engine.result(), tools=tools.result())
    if machine.packaged and _packages_wanted(facts):
        absent = facts.engine.state == "absent"
        unsigned = facts.signing and facts.tools.cosign is None
        apt = observe_apt(runner, machine, engine_wanted=absent, signing_wanted=unsigned)
        facts = replace(facts, apt=apt)
    return facts


def _packages_wanted(facts: Facts) -> bool:
    tools, python = facts.tools, facts.python
    found = (tools.mmdebstrap, tools.docker_registry, tools.qemu, tools.update_binfmts, tools.age)
    fillable = python.uv or python.pip or python.ensurepip
    unfilled = python.wanted and not fillable
    unsigned = facts.signing and tools.cosign is None
    return facts.engine.state == "absent" or unfilled or unsigned or None in found


def signs(root: Path) -> bool:
    """Return whether images of a repository are signed or verified; our own tests do both."""
    if (root / LOCK).exists():
        return True
    for name, keys in (("hullwright.toml", ()), ("pyproject.toml", ("tool", "hullwright"))):
        try:
            table = tomllib.loads(_text(root / name))
        except tomllib.TOMLDecodeError:
            # What reads the configuration says so.
            continue
        for key in keys:
            inner = table.get(key)
            table = inner if isinstance(inner, dict) else {}
        if table.get("signing"):
            return True
    return False


def observe_machine(release: str | None = None) -> Machine:
    """Return the operating system and what may be done on it.

    Args:
        release: text of os-release(5); read from the machine where it is not given.
    """
    fields = parse_os_release(_text(Path("/etc/os-release")) if release is None else release)
    return Machine(
        os_id=fields.get("ID", ""),
        os_version=fields.get("VERSION_ID", ""),
        codename=fields.get("VERSION_CODENAME", ""),
        os_name=fields.get("PRETTY_NAME") or platform.system() or "an unknown system",
        arch=_ARCHES.get(platform.machine(), platform.machine()),
        root=os.geteuid() == 0,
        systemd=Path("/run/systemd/system").is_dir(),
        policy_rc=POLICY_FILE.exists(),
    )


def parse_os_release(text: str) -> dict[str, str]:
    """Return the fields of os-release(5), unquoted."""
    found = re.finditer(r"^([A-Z_]+)=[\"']?(.*?)[\"']?\s*$", text, re.MULTILINE)
    return {match[1]: match[2] for match in found}


def _observe_engine(runner: Runner, folder: Path) -> Engine:
    client = runner.find("docker")
    known = Engine(
        client=client,
        packages=_engine_packages(runner),
        dockerd=runner.find("dockerd") or _existing("/usr/sbin/dockerd"),
        host=runner.environ.get("DOCKER_HOST") or None,
        context=_context(runner.environ),
        config=_text(DAEMON_FILE) if DAEMON_FILE.exists() else None,
        record=state.load(folder),
    )
    if client is None:
        return replace(known, state=_silent_state(known))
    with ThreadPoolExecutor() as pool:
        history = pool.submit(_buildx_history, runner)
        info = _info(runner)
        knows_format = history.result()
    plugins = {
        plugin.get("Name"): plugin.get("Version")
        for plugin in (info.get("ClientInfo") or {}).get("Plugins") or ()
    }
    server = info.get("ServerVersion") or None
    return replace(
        known,
        state="running" if server else _silent_state(known),
        version=server,
        buildx=plugins.get("buildx"),
        buildx_history=knows_format,
        compose=plugins.get("compose"),
    )


def _info(runner: Runner) -> dict[str, Any]:
    try:
        told = runner.read("docker", "info", "--format", "{{json .}}", check=False, timeout_s=20)
        found = json.loads(told.stdout or "{}")
    except (UnavailableError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _buildx_history(runner: Runner) -> bool:
    told = runner.read("docker", "buildx", "history", "inspect", "--help", check=False)
    return told.ok and "--format" in told.stdout


def _silent_state(engine: Engine) -> EngineState:
    """Return why no engine answered."""
    if engine.host or engine.context:
        return "unreachable"
    answer = _socket_answer()
    if answer == "denied":
        return "denied"
    if answer == "open" and engine.client is None:
        return "running"
    return "stopped" if engine.packages or engine.dockerd or answer == "open" else "absent"


def _socket_answer() -> str:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(5)
        try:
            probe.connect(str(_SOCKET))
        except PermissionError:
            return "denied"
        except OSError:
            return "closed"
    return "open"


def _engine_packages(runner: Runner) -> tuple[str, ...]:
    found = []
    if runner.find("dpkg-query"):
        asked = ("-W", "-f", "${Package} ${db:Status-Status}\n", *ENGINE_PACKAGES)
        found = installed_packages(runner.read("dpkg-query", *asked, check=False).stdout)
    elif runner.find("rpm"):
        asked = ("-q", "--qf", "%{NAME}\n", *ENGINE_PACKAGES)
        lines = runner.read("rpm", *asked, check=False).stdout.splitlines()
        found = [name for name in lines if name in ENGINE_PACKAGES]
    if Path("/snap/docker").is_dir():
        found.append("docker (snap)")
    return tuple(found)


def installed_packages(listed: str) -> list[str]:
    """Return the engine packages that dpkg-query listed as installed.

    Where only configuration files are left of a package there is no engine; and Debian's own
    package `docker` is a dock for tray icons.
    """
    rows = (line.partition(" ") for line in listed.splitlines())
    gone = {"not-installed", "config-files"}
    return [name for name, _, status in rows if status not in gone and name != "docker"]


def _docker_config(environ: Mapping[str, str]) -> Path:
    given = environ.get("DOCKER_CONFIG")
    return Path(given) if given else Path(environ.get("HOME", "/")) / ".docker"


def _context(environ: Mapping[str, str]) -> str | None:
    """Return the client's context if it is not the default one, by the client's own precedence."""
    chosen = environ.get("DOCKER_CONTEXT")
    if not chosen:
        try:
            settings = json.loads(_text(_docker_config(environ) / "config.json") or "{}")
            chosen = settings.get("currentContext")
        except (ValueError, AttributeError):
            chosen = None
    return None if not chosen or chosen == "default" else str(chosen)


def _observe_tools(runner: Runner, machine: Machine) -> Tools:
    with ThreadPoolExecutor() as pool:
        sops = pool.submit(_version, runner, "sops", "--version", "--disable-version-check")
        age = pool.submit(_version, runner, "age", "--version")
        go = pool.submit(_version, runner, "go", "version")
        emulator = _text(_BINFMT / _FOREIGN_FORMAT.get(machine.arch, "none"))
        go_version = go.result()
        return Tools(
            sops=sops.result(),
            age=age.result(),
            cosign=runner.find("cosign"),
            actionlint=runner.find("actionlint"),
            go=go_version if go_version and version_tuple(go_version) >= _GO_FLOOR else None,
            mmdebstrap=runner.find("mmdebstrap"),
            docker_registry=runner.find("docker-registry"),
            qemu=runner.find("qemu-aarch64-static") or runner.find("qemu-aarch64"),
            update_binfmts=runner.find("update-binfmts") or _existing("/usr/sbin/update-binfmts"),
            emulation=emulates(emulator),
            binfmt_mounted=(_BINFMT / "register").exists(),
        )


def emulates(registered: str) -> bool:
    """Return whether a format of binfmt_misc is on and, by its flag F, reaches into containers."""
    flags = re.search(r"^flags: *(\S*)", registered, re.MULTILINE)
    return registered.startswith("enabled") and flags is not None and "F" in flags[1]


def _version(runner: Runner, *argv: str) -> str | None:
    """Return the first version in what a program prints; its path where it prints none."""
    if runner.find(argv[0]) is None:
        return None
    try:
        told = runner.read(*argv, check=False, timeout_s=20)
    except HullwrightError:
        return None
    found = re.search(r"\d+\.\d+(?:\.\d+)?", told.stdout + told.stderr)
    return found[0] if found and told.ok else None


def observe_python(runner: Runner, root: Path) -> PythonEnvironment:
    """Return the state of `.venv` and what could fill it."""
    if not (root / LOCK).exists():
        return PythonEnvironment(state="unmanaged")
    folder, stamp = root / ".venv", environment_stamp(root)
    inside = folder / "bin" / "uv"
    found = runner.find("uv")
    known = PythonEnvironment(
        python=_base_python(),
        stamp=stamp,
        # One inside the environment is gone as soon as that has to be made anew.
        uv=None if found == str(inside) else found,
        pip=_base_has("pip"),
        ensurepip=_base_has("ensurepip"),
    )
    if not _made_with_this_python(folder):
        return known
    current = _text(folder / STAMP_NAME).strip() == stamp
    uv = known.uv or (str(inside) if inside.exists() else None)
    return replace(known, state="current" if current else "stale", uv=uv)


def environment_stamp(root: Path) -> str:
    """Return a hash of everything that the environment is made from.

    Of pyproject.toml only what an installation reads counts, so that a changed lint setting does
    not ask for a new environment.
    """
    try:
        given = tomllib.loads(_text(root / "pyproject.toml"))
    except tomllib.TOMLDecodeError:
        given = {}
    read = [given.get("build-system"), given.get("project"), given.get("tool", {}).get("hatch")]
    parts = [
        _text(root / LOCK),
        json.dumps(read),
        str(root),
        _python_series(),
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _python_series() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _made_with_this_python(folder: Path) -> bool:
    made = re.search(
        r"^version(?:_info)? *= *(\d+\.\d+)", _text(folder / "pyvenv.cfg"), re.MULTILINE
    )
    return made is not None and made[1] == _python_series() and (folder / "bin/python").exists()


def _base_python() -> str:
    """Return the interpreter that environments are made with, also when we run inside of one."""
    return str(getattr(sys, "_base_executable", "") or sys.executable)


def _base_has(module: str) -> bool:
    """Return whether the base interpreter has a module, also when we run inside `.venv`."""
    if sys.prefix == sys.base_prefix:
        return importlib.util.find_spec(module) is not None
    library = Path(sys.base_prefix) / "lib" / f"python{_python_series()}"
    folders = (library / "site-packages", library, Path("/usr/lib/python3/dist-packages"))
    return any((folder / module).is_dir() for folder in folders)


def _existing(path: str) -> str | None:
    return path if Path(path).exists() else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
