"""The kernel's tables of sockets, as recorded from a machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hullwright.tools.ports import Listener, conflicting, listeners, owner, parse_sockets

if TYPE_CHECKING:
    from pathlib import Path

TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1
   1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4712 1
   2: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 4713 1
"""
TCP6 = """\
  sl  local_address                         remote_address                        st tx_queue
   0: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A \
00000000:00000000 00:00000000 00000000     0        0 4714 1
   1: 0000000000000000FFFF00000100007F:1538 00000000000000000000000000000000:0000 0A \
00000000:00000000 00:00000000 00000000     0        0 4715 1
   2: 00000000000000000000000001000000:1539 00000000000000000000000000000000:0000 0A \
00000000:00000000 00:00000000 00000000     0        0 4716 1
"""
UDP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
  10: 0100007F:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4717 2
"""


def test_only_listening_sockets_are_read() -> None:
    assert parse_sockets(TCP, "tcp") == [
        Listener("tcp", "127.0.0.1", 8080, 4711),
        Listener("tcp", "0.0.0.0", 22, 4712),  # noqa: S104  read, not bound
    ]
    assert parse_sockets(UDP, "udp") == [Listener("udp", "127.0.0.1", 53, 4717)]
    assert parse_sockets("", "tcp") == []


def test_addresses_of_version_six_and_mapped_ones() -> None:
    assert parse_sockets(TCP6, "tcp") == [
        Listener("tcp", "::", 80, 4714),
        Listener("tcp", "127.0.0.1", 5432, 4715),
        Listener("tcp", "::1", 5433, 4716),
    ]


def test_all_tables_of_a_namespace_are_read(tmp_path: Path) -> None:
    (tmp_path / "tcp").write_text(TCP, encoding="ascii")
    (tmp_path / "udp").write_text(UDP, encoding="ascii")
    assert [each.port for each in listeners(tmp_path)] == [8080, 22, 53]


@pytest.mark.parametrize(
    ("port", "address", "protocol", "taken"),
    [
        (8080, "127.0.0.1", "tcp", True),
        (8080, "", "tcp", True),
        (8080, "127.0.0.2", "tcp", False),
        (22, "127.0.0.2", "tcp", True),
        (53, "127.0.0.1", "tcp", False),
        (53, "127.0.0.1", "udp", True),
        (8081, "", "tcp", False),
    ],
)
def test_a_port_is_taken_for_an_address(
    port: int, address: str, protocol: str, *, taken: bool
) -> None:
    there = [*parse_sockets(TCP, "tcp"), *parse_sockets(UDP, "udp")]
    assert (conflicting(port, address, protocol, there) is not None) is taken


def test_the_owner_of_a_socket_is_found(tmp_path: Path) -> None:
    for number, inode in ((12, 1), (13, 4711)):
        (tmp_path / str(number) / "fd").mkdir(parents=True)
        (tmp_path / str(number) / "cmdline").write_bytes(b"server\0--port\0" + b"8080\0")
        (tmp_path / str(number) / "fd" / "3").symlink_to(f"socket:[{inode}]")
    (tmp_path / "14").mkdir()
    (tmp_path / "self").mkdir()
    process = owner(4711, tmp_path)
    assert process is not None
    assert (process.pid, process.command) == (13, "server --port 8080")
    assert owner(9, tmp_path) is None
