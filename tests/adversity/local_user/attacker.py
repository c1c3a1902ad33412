# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does a local user do to a host? The hands of every attack; all of it runs with the attacker's rights only."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

from ansible_collections.pinned.release.plugins.module_utils import seal
from ansible_collections.pinned.release.plugins.plugin_utils._host import probe
from ansible_collections.pinned.release.plugins.plugin_utils._rollout.wanted import Wanted, wanted_digest
from ansible_collections.pinned.release.tests.adversity.local_user.host import Host


class Attacker:
    """Somebody on *host* who knows what every user of it can know: the lock file, the collection, where things lie.

    *wanted* is what the next run will ask for. *twin* tells an attack which of its variants to be.
    """

    def __init__(self, host: Host, wanted: Wanted, twin: Any = None) -> None:
        self.host = host
        self.wanted = wanted
        self.twin = twin
        self.home = host.home
        self.root = host.root
        self.bin_dir = host.bin_dir
        self.tree = host.tree
        self.libexec = self.tree / "libexec/hello-1.0"
        self.program = self.libexec / "bin/hello"
        self.library = self.libexec / "lib/words.sh"
        self.victim = host.victim
        self.secret = host.secret_file
        self.payload = f"#!/bin/sh\n/usr/bin/id -u >>{host.loot}\necho hello 1.0\n"
        ((tool, pinned),) = wanted.lock.tools.items()
        self.pinned_tree = f"{tool}/{pinned.tree_of(pinned.assets[0])}"

    @property
    def forged_lines(self) -> str:
        """Lines of an answer that says that all is as pinned, and the end of it."""
        return f"@@pinned.release 1\nsealed {self.pinned_tree}\n@@end"

    def take(self, path: Path) -> Path:
        """Make *path* the attacker's own: exchange what lies on the way for a copy, as far up as their rights begin."""
        if os.path.lexists(path) and path.lstat().st_uid == os.getuid():
            return path
        top = path
        while not os.access(top.parent, os.W_OK | os.X_OK):
            if top.parent == top:
                raise PermissionError(f"nothing on the way to {path} can be exchanged")
            top = top.parent
        away = top.with_name(top.name + ".away")
        self.rename(top, away)
        _copy(away.resolve() if away.is_dir() else away, top)
        return path

    def rename(self, path: Path, other: Path) -> None:
        path.rename(other)

    def clear(self, path: Path) -> Path:
        """Have the name *path* free, in a folder in which the attacker may make names."""
        if not os.access(path.parent, os.W_OK):
            self.take(path.parent)
        if path.is_symlink() or not path.is_dir():
            path.unlink(missing_ok=True)
        elif path.lstat().st_uid == os.getuid():
            shutil.rmtree(path)
        else:
            self.rename(path, path.with_name(path.name + ".away"))
        return path

    def write(self, path: Path, text: str, mode: int = 0o644) -> Path:
        """Have a file of the attacker's own at *path*."""
        self.clear(path).write_text(text)
        path.chmod(mode)
        return path

    def link(self, path: Path, target: Path | str) -> Path:
        """Have a symbolic link of the attacker's own at *path*."""
        self.clear(path).symlink_to(target)
        return path

    def fifo(self, path: Path) -> Path:
        os.mkfifo(self.clear(path))
        path.chmod(0o666)
        return path

    def folder(self, path: Path, mode: int = 0o755) -> Path:
        self.clear(path).mkdir(parents=True)
        path.chmod(mode)
        return path

    def relist(self) -> None:
        """Make the listing of the active tree fit what now lies there, as far as its owner can know."""
        listing = self.tree / "listing"
        lines = [self._line(line) for line in listing.read_text().splitlines()]
        self.write(listing, "".join(f"{line}\n" for line in sorted(lines)))

    def _line(self, line: str) -> str:
        digest, _spaces, path = line.partition("  ")
        place = self.tree / path
        if len(digest) != 64 or not place.is_file():
            return line
        return f"{hashlib.sha256(place.read_bytes()).hexdigest()}  {path}"

    def remember(self, trees: str = "") -> None:
        """Write what a run writes at its end, so that the next one believes that nothing changed since."""
        active = f"hello/{os.path.basename(os.readlink(self.root / 'current/hello'))}"
        command = ["/bin/sh", "-c", probe.fingerprint(), "seal", str(self.root), str(self.bin_dir), active]
        seen = subprocess.run(command, capture_output=True, check=True).stdout.splitlines(keepends=True)
        links = [line for line in seen if line.startswith(str(self.bin_dir).encode())]
        files = [line for line in seen if line not in links]
        for name in ("seals", "asked"):
            self.take(self.root / name)
        trees = trees or active
        files = [line.replace(f"/{active} ".encode(), f"/{trees} ".encode()) for line in files]
        self.clear(self.root / "seals/hello").write_bytes(b"".join(files))
        head = f"{seal.VERSION} {len(seen)} {trees}\n".encode()
        self.clear(self.question).write_bytes(head + b"".join(links + files))

    @property
    def question(self) -> Path:
        """Where the answer to the next run's question is remembered."""
        return self.root / "asked" / wanted_digest(self.wanted)


def _copy(source: Path, copy: Path) -> None:
    """Copy what can be read of *source*, links as links."""
    if source.is_symlink():
        copy.symlink_to(os.readlink(source))
    elif source.is_dir():
        copy.mkdir()
        for entry in sorted(source.iterdir()):
            _copy(entry, copy / entry.name)
    else:
        with suppress(PermissionError):
            shutil.copy2(source, copy)
