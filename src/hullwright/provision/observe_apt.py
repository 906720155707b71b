"""Looks at what apt-get could install, in folders of its own: the machine stays as it is."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hullwright.errors import HullwrightError
from hullwright.provision.apt import (
    ASKED_PACKAGES,
    PREFERENCES_FILE,
    SOURCES_FILE,
    available_tools,
    derive_source,
    engine_offers,
    newer_suites,
    parse_madison,
    refusal,
    signing_words,
)
from hullwright.provision.facts import Apt, Machine, Offer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullwright.run import Runner

_ETC_APT: Final = Path("/etc/apt")
# Only the lists of binary packages: no translations, no contents, no application catalogues.
_NO_EXTRAS: Final = (
    *("-o", "Acquire::Languages=none"),
    *("-o", "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false"),
    *("-o", "Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false"),
)


def observe_apt(
    runner: Runner, machine: Machine, *, engine_wanted: bool, signing_wanted: bool = False
) -> Apt:
    """Return what could be installed, newer suites included, without changing any setting.

    Args:
        runner: starts apt-get and apt-cache.
        machine: decides which newer suites are looked at.
        engine_wanted: whether offers of an engine are tried; most tools need no newer suite.
        signing_wanted: whether cosign is looked for, which Debian has since its release 13.
    """
    wanted = {"engine_wanted": engine_wanted, "signing_wanted": signing_wanted}
    suites = newer_suites(machine) if any(wanted.values()) else ()
    seen = _look(runner, machine, suites, **wanted)
    while seen.error and suites:
        # A mirror may lack the last suite, or hold an expired copy of it.
        suites = suites[:-1]
        seen = _look(runner, machine, suites, **wanted)
    return seen


def _look(
    runner: Runner,
    machine: Machine,
    suites: tuple[str, ...],
    *,
    engine_wanted: bool,
    signing_wanted: bool,
) -> Apt:
    sources, preferences = derive_source(read_sources(_ETC_APT), machine.codename, suites)
    known = suites if sources else ()
    with tempfile.TemporaryDirectory(prefix="hullwright-apt-") as folder:
        options = _private_folders(Path(folder), sources, preferences)
        try:
            runner.read("apt-get", *options, *_NO_EXTRAS, "update", timeout_s=300)
            listed = runner.read("apt-cache", *options, "madison", *ASKED_PACKAGES)
        except HullwrightError as error:
            return Apt(error=_last_line(error))
        versions = parse_madison(listed.stdout, known)
        offers = engine_offers(versions, machine) if engine_wanted else []
        tools = available_tools(versions)
        tried = tuple(_tried(runner, options, offer, tools) for offer in offers)
        words = signing_words(versions, known) if signing_wanted else ()
        signing = next((word for word in words if not _refused(runner, options, word)), "")
    return Apt(sources, preferences, tried, tools, signing=signing)


def read_sources(folder: Path) -> Mapping[str, str]:
    """Return the texts of the machine's source files, name to text, without our own."""
    files = [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*"))]
    return {
        path.name: path.read_text(encoding="utf-8", errors="replace")
        for path in files
        if path.is_file()
        and path.name != SOURCES_FILE.name
        and path.suffix in {".list", ".sources"}
    }


def _private_folders(folder: Path, sources: str, preferences: str) -> tuple[str, ...]:
    """Return options that make apt work in `folder`, with copies of the machine's settings."""
    parts, pins = folder / "sources.list.d", folder / "preferences.d"
    for name, copy, own, text in (
        ("sources.list.d", parts, SOURCES_FILE.name, sources),
        ("preferences.d", pins, PREFERENCES_FILE.name, preferences),
    ):
        given = _ETC_APT / name
        if given.is_dir():
            shutil.copytree(given, copy, ignore_dangling_symlinks=True)
        else:
            copy.mkdir()
        (copy / own).write_text(text, encoding="utf-8")
    (folder / "lists" / "partial").mkdir(parents=True)
    (folder / "cache" / "archives" / "partial").mkdir(parents=True)
    # apt fetches as a user of its own, who must be able to enter.
    folder.chmod(0o755)
    return (
        *("-o", f"Dir::Etc::SourceParts={parts}"),
        *("-o", f"Dir::Etc::PreferencesParts={pins}"),
        *("-o", f"Dir::State::Lists={folder / 'lists'}"),
        *("-o", f"Dir::Cache={folder / 'cache'}"),
        *("-o", "APT::Sandbox::User=root"),
    )


def _tried(runner: Runner, options: tuple[str, ...], offer: Offer, tools: tuple[str, ...]) -> Offer:
    return replace(offer, refused=_refused(runner, options, *offer.packages, *tools))


def _refused(runner: Runner, options: tuple[str, ...], *words: str) -> str:
    """Return why apt-get would not install these; empty if it would."""
    simulated = runner.read(
        *("apt-get", *options, "install", "--simulate", "--no-install-recommends", *words),
        check=False,
        timeout_s=120,
    )
    return refusal(simulated.returncode, simulated.stdout + simulated.stderr)


def _last_line(error: HullwrightError) -> str:
    result = getattr(error, "result", None)
    lines = result.tail() if result is not None else [error.what]
    return next((line for line in reversed(lines) if line.strip()), error.what)
