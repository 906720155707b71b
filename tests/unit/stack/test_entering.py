"""Which image helps where a service has no shell, and how."""

from __future__ import annotations

from hullwright.stack.entering import helper, helper_argv


def test_the_smallest_image_with_a_shell_helps() -> None:
    assert helper(["shop/app:1", "python:3.13-slim", "debian:13", "python:3.11"]) == "debian:13"
    assert helper(["python:3.13-slim", "python:3.11"]) == "python:3.13-slim"
    assert helper(["registry.example.com/base/busybox:1", "debian:13"]) == (
        "registry.example.com/base/busybox:1"
    )
    assert helper(["shop/app:1"]) == ""
    assert helper([]) == ""


def test_it_shares_processes_and_network_and_begins_in_the_file_system() -> None:
    assert helper_argv("c1", "debian:13", ["--interactive", "--tty"]) == [
        "docker", "run", "--rm", "--pull", "never", "--label", "dev.hullwright.kind=shell",
        "--interactive", "--tty", "--pid", "container:c1", "--network", "container:c1",
        "--user", "0:0", "--cap-add", "SYS_PTRACE", "--entrypoint", "sh", "debian:13",
        "-c", "cd /proc/1/root && exec sh",
    ]  # fmt: skip
