"""What an explanation knows of a container, from the engine's own entries."""

from __future__ import annotations

from hullwright.tools import details
from hullwright.tools.details import Details, LogLine, Mount

RAW = {
    "Id": "id",
    "Name": "/x-db-1",
    "Config": {
        "User": "1000:1000",
        "Env": ["PASSWORD=secret", "EMPTY="],
        "Hostname": "1234abcd",
        "Healthcheck": {"Test": ["CMD", "x"], "Timeout": 300_000_000},
    },
    "HostConfig": {"Memory": 8388608, "ReadonlyRootfs": True, "Tmpfs": {"/run": "size=64k,ro"}},
    "ImageManifestDescriptor": {
        "platform": {"os": "linux", "architecture": "arm", "variant": "v7"}
    },
    "Mounts": [
        {"Type": "volume", "Name": "x_data", "Source": "/…", "Destination": "/data", "RW": True},
        {"Type": "bind", "Source": "/home", "Destination": "/data/in", "RW": False},
    ],
    "NetworkSettings": {"Networks": {"x_default": {"Aliases": ["x-db-1", "db"]}}},
}


def test_an_entry_is_read_without_any_value_of_its_environment() -> None:
    found = details.parse(RAW)
    assert found == Details(
        user="1000:1000",
        variables={"PASSWORD": True, "EMPTY": False},
        mounts=(
            Mount("volume", "x_data", "/data"),
            Mount("bind", "/home", "/data/in", writable=False),
            Mount("tmpfs", "size=64k,ro", "/run", writable=False),
        ),
        platform="linux/arm/v7",
        networks=frozenset({"x_default"}),
        names=frozenset({"x-db-1", "db", "1234abcd"}),
        read_only=True,
        memory_bytes=8388608,
        probe_timeout_s=0.3,
    )
    assert "secret" not in repr(found)


def test_a_path_is_of_the_innermost_mount() -> None:
    found = details.parse(RAW)
    assert found.mount_of("/data/in/x") == found.mounts[1]
    assert found.mount_of("/data") == found.mounts[0]
    assert found.mount_of("/database") is None


def test_an_entry_of_an_older_engine_has_what_it_has() -> None:
    assert details.parse({"Id": "id", "Name": "/x"}) == Details(names=frozenset({"x"}))


def test_a_line_has_its_time_where_the_engine_tells_one() -> None:
    line = details.parse_line("1970-01-01T00:01:40.500000000Z   two words ")
    assert line == LogLine(100.5, "  two words")
    assert details.parse_line("no time here") == LogLine(0.0, "no time here")
    assert details.parse_line("1970-01-01T00:01:40Z") == LogLine(100.0, "")
