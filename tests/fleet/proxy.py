# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What did the hosts of the lab fetch, from where, how often? A forward proxy that counts (RFC 9110, 9.3.6; RFC 9112).

It listens in one network namespace and connects from another, so hosts without a route reach what this machine
reaches. It carries TLS without looking inside (CONNECT) and plain HTTP one request a connection. Its log has two lines
of JSON a request: one when it is asked, before anything is answered, and one when it is over, with its sizes.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import concurrent.futures
import ctypes
import dataclasses
import json
import os
import socket
import sys
import time
import urllib.parse
from collections.abc import Callable, Iterable, Sequence

CLONE_NEWNET = 0x40000000
HEADER_LIMIT_BYTES = 64 * 1024
PIECE_BYTES = 256 * 1024
CONNECT_TIMEOUT_S = 30


def summary(lines: Iterable[str]) -> dict[str, object]:
    """Add up a log: in all, and per target (a URL, or host and port where TLS hides it)."""
    zero = {"requests": 0, "unfinished": 0, "failed": 0, "sent_bytes": 0, "received_bytes": 0}
    targets: dict[str, collections.Counter[str]] = collections.defaultdict(lambda: collections.Counter(zero))
    total = collections.Counter(zero)
    for line in lines:
        entry = json.loads(line)
        if entry["event"] == "asked":
            counts = {"requests": 1, "unfinished": 1}
        else:
            sizes = {name: entry[name] for name in ("sent_bytes", "received_bytes")}
            counts = {"unfinished": -1, "failed": int(entry["status"] >= 400), **sizes}
        targets[f"{entry['method']} {entry['target']}"].update(counts)
        total.update(counts)
    return {**total, "targets": {name: dict(targets[name]) for name in sorted(targets)}}


@dataclasses.dataclass(frozen=True)
class Request:
    """What a client asks of a proxy."""

    method: str
    target: str
    headers: str

    @property
    def origin(self) -> tuple[str, int]:
        """Return whom to connect to; ValueError if this is nothing a proxy can do."""
        url = self.url
        if not url.hostname or url.scheme not in ("", "http"):
            raise ValueError(f"a proxy is not asked for {self.target!r}")
        return url.hostname, url.port or 80

    @property
    def url(self) -> urllib.parse.SplitResult:
        return urllib.parse.urlsplit(f"//{self.target}" if self.method == "CONNECT" else self.target)

    def for_origin(self) -> bytes:
        """Rewrite it for its origin: path only, nothing meant for the proxy, one request a connection."""
        path = urllib.parse.urlunsplit(("", "", self.url.path or "/", self.url.query, ""))
        kept = [line for line in self.headers.split("\r\n") if line and not is_for_proxy(line)]
        return "\r\n".join([f"{self.method} {path} HTTP/1.1", *kept, "Connection: close", "", ""]).encode("latin-1")


@dataclasses.dataclass
class Tally:
    """What became of a request so far."""

    status: int = 502
    sent_bytes: int = 0
    received_bytes: int = 0

    def sent(self, piece: bytes) -> None:
        self.sent_bytes += len(piece)

    def received(self, piece: bytes) -> None:
        if not self.received_bytes and self.status == 502:
            self.status = int(piece[9:12])  # "HTTP/1.1 200 …"
        self.received_bytes += len(piece)


class Proxy:
    """Serves clients; its threads, which do nothing but connect, live in the upstream network."""

    def __init__(self, upstream_network: str, log_path: str) -> None:
        self.log_path = log_path
        descriptor = os.open(upstream_network, os.O_RDONLY) if upstream_network else -1
        self.connectors = concurrent.futures.ThreadPoolExecutor(64, initializer=enter_network, initargs=(descriptor,))

    async def serve_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await read_request(reader)
            about = {"client": writer.get_extra_info("peername")[0], "method": request.method, "target": request.target}
            tally = Tally()
            self.write_log({"event": "asked", "time": time.time(), **about})
            try:
                await self.carry(request, tally, reader, writer)
            finally:
                self.write_log({"event": "over", "time": time.time(), **about, **dataclasses.asdict(tally)})
        except (OSError, ValueError, EOFError, asyncio.LimitOverrunError) as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        finally:
            writer.close()

    async def carry(
        self, request: Request, tally: Tally, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Connect and copy both ways until both sides are done."""
        loop = asyncio.get_running_loop()
        try:
            connecting = request.origin, CONNECT_TIMEOUT_S
            upstream = await loop.run_in_executor(self.connectors, lambda: socket.create_connection(*connecting))
        except (OSError, ValueError):
            writer.write(b"HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
            raise
        up_reader, up_writer = await asyncio.open_connection(sock=upstream, limit=HEADER_LIMIT_BYTES)
        try:
            if request.method == "CONNECT":
                tally.status = 200
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                tally.sent(request.for_origin())
                up_writer.write(request.for_origin())
            await asyncio.gather(pass_on(reader, up_writer, tally.sent), pass_on(up_reader, writer, tally.received))
        finally:
            up_writer.close()

    def write_log(self, entry: dict[str, object]) -> None:
        with open(self.log_path, "a", encoding="utf-8") as log:
            log.write(json.dumps(entry) + "\n")


async def read_request(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    request_line, _blank, headers = head.partition("\r\n")
    method, target, _version = request_line.split(" ")
    return Request(method, target, headers)


async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, count: Callable[[bytes], None]) -> None:
    """Copy one direction to its end and say so to the other side."""
    while piece := await reader.read(PIECE_BYTES):
        count(piece)
        writer.write(piece)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


def is_for_proxy(header: str) -> bool:
    name = header.partition(":")[0].lower()
    return name in ("connection", "keep-alive") or name.startswith("proxy-")


def enter_network(descriptor: int) -> None:
    """Move the calling thread, and no other, to the network namespace behind *descriptor*."""
    if descriptor >= 0 and ctypes.CDLL(None, use_errno=True).setns(descriptor, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


async def serve(listen: str, upstream_network: str, log_path: str) -> None:
    host, _colon, port = listen.rpartition(":")
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
