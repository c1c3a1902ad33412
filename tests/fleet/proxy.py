#!/usr/bin/env python3
# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What did the hosts of the lab fetch, from where, how often? A forward proxy that counts (RFC 9110, 9.3.6; RFC 9112).

It listens in one network namespace and connects from another, so hosts without a route reach what this machine
reaches. It carries TLS without looking inside (CONNECT) and plain HTTP one request a connection. Each line of its log
is one finished request as JSON; a line is written before the client sees the end of it.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import concurrent.futures
import ctypes
import json
import os
import socket
import sys
import time
import urllib.parse
from collections.abc import Iterable, Sequence

CLONE_NEWNET = 0x40000000
HEADER_LIMIT_BYTES = 64 * 1024
PIECE_BYTES = 256 * 1024
CONNECT_TIMEOUT_S = 30


def summary(lines: Iterable[str]) -> dict[str, object]:
    """Add up a log: per target (URL, or host and port where TLS hides it), and in all."""
    targets: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    total: collections.Counter[str] = collections.Counter(requests=0, failed=0, sent_bytes=0, received_bytes=0)
    for line in lines:
        entry = json.loads(line)
        counts = {
            "requests": 1,
            "failed": int(entry["status"] >= 400),
            "sent_bytes": entry["sent_bytes"],
            "received_bytes": entry["received_bytes"],
        }
        targets[f"{entry['method']} {entry['target']}"].update(counts)
        total.update(counts)
    return {**total, "targets": {name: dict(targets[name]) for name in sorted(targets)}}


class Proxy:
    """Serves clients; its threads, which do nothing but connect, live in the upstream network."""

    def __init__(self, upstream_network: str, log_path: str) -> None:
        self.log_path = log_path
        descriptor = os.open(upstream_network, os.O_RDONLY) if upstream_network else -1
        self.connectors = concurrent.futures.ThreadPoolExecutor(64, initializer=enter_network, initargs=(descriptor,))

    async def serve_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        began = time.time()
        entry = {"time": began, "client": writer.get_extra_info("peername")[0], "method": "-", "target": "-"}
        entry |= {"status": 400, "sent_bytes": 0, "received_bytes": 0}
        try:
            await self.serve_request(reader, writer, entry)
        except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            entry["error"] = str(error)
            if entry["status"] != 200:
                answer = f"HTTP/1.1 {entry['status']} Failed\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
                writer.write(answer.encode())
        finally:
            self.write_log({**entry, "seconds": round(time.time() - began, 3)})
            writer.close()

    async def serve_request(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, entry: dict[str, object]
    ) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        request_line, _, headers = head.decode("latin-1").partition("\r\n")
        method, target, _version = request_line.split(" ")
        entry |= {"method": method, "target": target, "status": 502}
        url = urllib.parse.urlsplit(f"//{target}" if method == "CONNECT" else target)
        if not url.hostname or url.scheme not in ("", "http"):
            raise ValueError(f"not something a proxy is asked: {request_line!r}")
        connecting = asyncio.get_running_loop().run_in_executor(
            self.connectors, socket.create_connection, (url.hostname, url.port or 80), CONNECT_TIMEOUT_S
        )
        upstream = await connecting
        upstream.setblocking(False)
        up_reader, up_writer = await asyncio.open_connection(sock=upstream, limit=HEADER_LIMIT_BYTES)
        try:
            if method == "CONNECT":
                entry["status"] = 200
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                up_writer.write(origin_request(method, url, headers))
            await asyncio.gather(
                pass_on(reader, up_writer, entry, "sent_bytes"), pass_on(up_reader, writer, entry, "received_bytes")
            )
        finally:
            up_writer.close()

    def write_log(self, entry: dict[str, object]) -> None:
        with open(self.log_path, "a", encoding="utf-8") as log:
            log.write(json.dumps(entry) + "\n")


def enter_network(descriptor: int) -> None:
    """Move the calling thread, and no other, to the network namespace behind *descriptor*."""
    if descriptor >= 0 and ctypes.CDLL(None, use_errno=True).setns(descriptor, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def origin_request(method: str, url: urllib.parse.SplitResult, headers: str) -> bytes:
    """Rewrite a proxied request for its origin: path only, nothing meant for the proxy, one request a connection."""
    path = urllib.parse.urlunsplit(("", "", url.path or "/", url.query, ""))
    kept = [
        line
        for line in headers.split("\r\n")
        if line and line.partition(":")[0].lower() not in ("connection", "keep-alive") and line[:6].lower() != "proxy-"
    ]
    return "\r\n".join([f"{method} {path} HTTP/1.1", *kept, "Connection: close", "", ""]).encode("latin-1")


async def pass_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, entry: dict[str, object], counter: str
) -> None:
    """Copy one direction to its end and say so to the other side."""
    while piece := await reader.read(PIECE_BYTES):
        if entry["status"] == 502:  # the first bytes of a plain answer: "HTTP/1.1 200 …"
            entry["status"] = int(piece[9:12]) if counter == "received_bytes" else 502
        entry[counter] += len(piece)  # type: ignore[operator]
        writer.write(piece)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


async def serve(listen: str, upstream_network: str, log_path: str) -> None:
    host, _, port = listen.rpartition(":")
    proxy = Proxy(upstream_network, log_path)
    server = await asyncio.start_server(proxy.serve_client, host, int(port), limit=HEADER_LIMIT_BYTES, backlog=1024)
    async with server:
        await server.serve_forever()


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description="A forward proxy that logs and counts.")
    parser.add_argument("--listen", required=True, metavar="ADDRESS:PORT")
    parser.add_argument("--log", required=True, metavar="FILE")
    parser.add_argument("--upstream-network", default="", metavar="FILE", help="network namespace to connect from")
    options = parser.parse_args(arguments)
    asyncio.run(serve(options.listen, options.upstream_network, options.log))


if __name__ == "__main__":
    main(sys.argv[1:])
