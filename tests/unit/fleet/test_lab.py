# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does the lab of real hosts tell the truth about itself: names, addresses, inventory, and what its proxy counted?"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sys
import typing as t
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "fleet"))

import kinds
import lab
import proxy
import record
import system

LAB = record.Lab("unit", Path("/nowhere"))
HOST = record.Running("bookworm-amd64", 1, 0, "", "/usr/bin/python3")


def test_more_copies_keep_the_names_of_fewer() -> None:
    assert lab.copy_names("alpine-amd64", 1) == ["alpine-amd64"]
    assert lab.copy_names("alpine-amd64", 3) == ["alpine-amd64", "alpine-amd64-2", "alpine-amd64-3"]


def test_a_host_keeps_its_address_and_a_new_one_takes_the_first_free() -> None:
    hosts = {"a": HOST, "c": dataclasses.replace(HOST, index=3)}
    assert lab.index_for("c", hosts) == 3
    assert lab.index_for("b", hosts) == 2


def test_an_address_never_meets_the_controller_s() -> None:
    assert HOST.address == "198.18.1.1"
    assert str(record.CTL_ADDRESS) == "198.18.0.1"


def test_no_name_means_the_default_hosts_and_an_unknown_one_is_told_what_there_is() -> None:
    assert len(kinds.kinds_of([])) == 5
    assert kinds.kinds_of(["armv6l", "default", "armv6l"])[0] == "armv6l"
    with pytest.raises(system.LabError, match=r"no such host: solaris; there are: default, all, bullseye-amd64"):
        kinds.kinds_of(["solaris"])


def test_the_inventory_leaves_the_choice_of_the_user_to_the_command_line() -> None:
    text = json.dumps(record.inventory_of(LAB, {"bookworm-amd64": HOST}))
    assert "ansible_user" not in text
    assert '"bookworm-amd64": {"ansible_python_interpreter": "/usr/bin/python3"' in text


def test_ssh_reaches_a_host_by_its_name() -> None:
    assert record.ssh_config_of(LAB, {"web": HOST}).startswith("Host web\n    HostName 198.18.1.1\n")


def log_line(event: str, target: str, **more: object) -> str:
    return json.dumps({"event": event, "method": "GET", "target": target, **more})


def test_traffic_is_counted_when_asked_and_sized_when_over() -> None:
    asked = [log_line("asked", "http://example.org/a"), log_line("asked", "http://example.org/b")]
    over = log_line("over", "http://example.org/a", status=404, sent_bytes=10, received_bytes=20)
    counted = proxy.summary([*asked, over])
    assert counted["requests"] == 2
    assert counted["unfinished"] == 1
    assert counted["targets"]["GET http://example.org/a"] == {  # type: ignore[index]
        "requests": 1,
        "unfinished": 0,
        "failed": 1,
        "sent_bytes": 10,
        "received_bytes": 20,
    }


def test_no_traffic_is_zero_everywhere() -> None:
    counted = proxy.summary([])
    assert counted.pop("targets") == {}
    assert set(counted.values()) == {0}


def test_the_origin_sees_a_path_and_nothing_meant_for_the_proxy() -> None:
    headers = "Host: example.org\r\nProxy-Authorization: secret\r\nConnection: keep-alive\r\nRange: bytes=1-\r\n\r\n"
    request = proxy.Request("GET", "http://example.org:8080/a?b=c", headers)
    assert request.origin == ("example.org", 8080)
    assert request.for_origin() == (
        b"GET /a?b=c HTTP/1.1\r\nHost: example.org\r\nRange: bytes=1-\r\nConnection: close\r\n\r\n"
    )


@pytest.mark.parametrize("target", ["/", "ftp://example.org/a", "https://example.org/a"])
def test_what_no_proxy_is_asked_is_refused(target: str) -> None:
    with pytest.raises(ValueError, match="a proxy is not asked for"):
        assert proxy.Request("GET", target, "").origin


async def ask(proxy_log: Path, question: t.Callable[[int], bytes]) -> bytes:
    """Ask a proxy in front of a small origin, whose port *question* is given, and return all that comes back."""

    async def origin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
        writer.close()

    async with await asyncio.start_server(origin, "127.0.0.1", 0) as upstream:
        counting = proxy.Proxy("", str(proxy_log))
        async with await asyncio.start_server(counting.serve_client, "127.0.0.1", 0) as server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(question(upstream.sockets[0].getsockname()[1]))
            answer = await reader.read()
            writer.close()
            while b'"over"' not in proxy_log.read_bytes():
                await asyncio.sleep(0.01)
            return answer


def test_plain_http_is_passed_on_and_counted_by_url(tmp_path: Path) -> None:
    answer = asyncio.run(ask(tmp_path / "log", lambda port: f"GET http://127.0.0.1:{port}/a HTTP/1.1\r\n\r\n".encode()))
    assert answer.endswith(b"hello")
    counted = proxy.summary((tmp_path / "log").read_text().splitlines())
    assert (counted["requests"], counted["unfinished"], counted["failed"]) == (1, 0, 0)
    assert counted["received_bytes"] == len(answer)


def test_a_tunnel_carries_bytes_unseen_and_is_counted_by_host_and_port(tmp_path: Path) -> None:
    answer = asyncio.run(
        ask(tmp_path / "log", lambda port: f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n".encode())
    )
    assert answer.startswith(b"HTTP/1.1 200 Connection established\r\n\r\n")
    assert answer.endswith(b"hello")
    counted = proxy.summary((tmp_path / "log").read_text().splitlines())
    assert next(iter(counted["targets"])).startswith("CONNECT 127.0.0.1:")  # type: ignore[call-overload]


def test_an_unreachable_origin_is_a_502_and_a_failure(tmp_path: Path) -> None:
    answer = asyncio.run(ask(tmp_path / "log", lambda port: b"CONNECT 127.0.0.1:1 HTTP/1.1\r\n\r\n"))
    assert answer.startswith(b"HTTP/1.1 502 ")
    assert proxy.summary((tmp_path / "log").read_text().splitlines())["failed"] == 1


def test_labs_of_different_names_or_caches_share_no_namespace() -> None:
    usual = record.Lab("lab", Path(record.DEFAULT_CACHE))
    marks = {
        usual.mark,
        dataclasses.replace(usual, name="bench").mark,
        dataclasses.replace(usual, cache=Path("/x")).mark,
    }
    assert usual.ctl == "lab.ctl"
    assert len(marks) == 3
