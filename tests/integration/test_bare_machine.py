"""The trial on a bare machine leaves the host as it was; its programs are stand-ins here."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "try-bare-machine"
# What it calls, with the state of the host in files below $HOST.
PROGRAMS = {
    "ip": """
case "$*" in
  'route show default') echo 'default via 192.0.2.1 dev lo' ;;
  'netns add '*) : >"$HOST/spaces/$3" ;;
  'netns del '*) rm "$HOST/spaces/$3" ;;
  'netns list') ls "$HOST/spaces" ;;
esac
""",
    "sysctl": """
case $1 in
  -n) cat "$HOST/forward" ;;
  -q) echo "${2#*=}" >"$HOST/forward" ;;
esac
""",
    "iptables": ":",
    "nsenter": 'cat "$HOST/forward" >"$HOST/forward-inside"; [ -z "$OTHER" ] || '
    ': >"$HOST/spaces/$OTHER"; exit 7',
}


class Host:
    """A host whose network settings are files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.repository = folder / "repository"
        (self.repository / "scripts").mkdir(parents=True)
        shutil.copy(SCRIPT, self.repository / "scripts")
        subprocess.run(("git", "init", "--quiet", self.repository), check=True)
        for name in ("spaces", "bin", "run", "cache", "tmp"):
            (folder / name).mkdir()
        for name, content in PROGRAMS.items():
            program = folder / "bin" / name
            program.write_text(f"#!/bin/sh\n{content}\n", encoding="utf-8")
            program.chmod(0o755)
        with tarfile.open(folder / "cache" / "bookworm.tar", "w") as root:
            for name in ("etc/ssl/certs", "etc/apt/apt.conf.d", "srv"):
                entry = tarfile.TarInfo(name)
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                root.addfile(entry)

    def forward(self, name: str = "forward") -> str:
        """Return what the setting is, or was inside."""
        return (self.folder / name).read_text(encoding="utf-8").strip()

    def try_it(self, *, forwards: str, other: str = "") -> int:
        """Run a trial and return its exit code."""
        (self.folder / "forward").write_text(forwards, encoding="utf-8")
        certificates = self.folder / "ca.crt"
        certificates.write_text("", encoding="utf-8")
        return subprocess.run(
            ("scripts/try-bare-machine", "--cache", self.folder / "cache", "true"),
            cwd=self.repository,
            env={
                **os.environ,
                "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
                "HOST": str(self.folder),
                "OTHER": other,
                "TMPDIR": str(self.folder / "tmp"),
                "XDG_RUNTIME_DIR": str(self.folder / "run"),
                "SSL_CERT_FILE": str(certificates),
            },
            check=False,
        ).returncode

    def left(self) -> list[str]:
        """Return what a trial left, of namespaces, notes and files."""
        return [
            entry.name
            for name in ("spaces", "run", "tmp")
            for entry in (self.folder / name).iterdir()
        ]


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """Return a host on which nothing was tried yet."""
    return Host(tmp_path)


@pytest.mark.parametrize("forwards", ["0", "1"])
def test_a_trial_puts_forwarding_back_whatever_it_was(host: Host, forwards: str) -> None:
    assert host.try_it(forwards=forwards) == 7
    assert host.forward("forward-inside") == "1"
    assert host.forward() == forwards
    assert host.left() == []


def test_a_trial_that_ends_leaves_another_one_its_network(host: Host) -> None:
    host.try_it(forwards="0", other="bare99999999")
    assert host.forward() == "1"
    (host.folder / "spaces" / "bare99999999").unlink()
    host.try_it(forwards="1")
    assert host.forward() == "0"
    assert host.left() == []
