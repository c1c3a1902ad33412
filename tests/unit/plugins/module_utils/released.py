# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real little releases for tests: a gzipped tar of shell programs on disk, and the orders that install it."""

import gzip
import hashlib
import io
import os
import tarfile
import typing as t

from ansible_collections.pinned.release.plugins.module_utils.orders import Download, Orders, Program, ToolOrder

FINGERPRINT = os.path.join(os.path.dirname(__file__), "../../../../plugins/plugin_utils/fingerprint.sh")


class Released:
    """One version of a tool, published in a folder."""

    def __init__(
        self, folder: t.Any, tool: str = "hello", version: str = "1.0", programs: t.Sequence[str] = ("hello",)
    ) -> None:
        self.tool = tool
        self.version = version
        self.path = os.path.join(str(folder), "{0}-{1}.tar.gz".format(tool, version))
        contents = {
            "{0}-{1}/bin/{2}".format(tool, version, name): "#!/bin/sh\necho {0} {1}\n".format(name, version).encode()
            for name in programs
        }
        contents["{0}-{1}/README".format(tool, version)] = b"read me\n"
        published = _packed(contents)
        with open(self.path, "wb") as handle:
            handle.write(published)
        self.sha256 = hashlib.sha256(published).hexdigest()
        self.tree = "{0}-{1}".format(version, self.sha256[:12])
        self.programs = {
            os.path.basename(path): Program(path, hashlib.sha256(content).hexdigest(), len(content))
            for path, content in contents.items()
            if "/bin/" in path
        }
        self.asset = Download(
            os.path.basename(self.path),
            "file://" + self.path,
            len(published),
            self.sha256,
            "tar.gz",
            sum(len(content) for content in contents.values()),
        )

    def order(self, **changes: t.Any) -> ToolOrder:
        """Return the order that installs this version on a host without any."""
        order = ToolOrder(tool=self.tool, tree=self.tree, asset=self.asset, programs=self.programs)
        return order._replace(**dict({"receipt": {"version": self.version, "sha256": self.sha256}}, **changes))


def _packed(contents: t.Dict[str, bytes]) -> bytes:
    """Return a gzipped tar, the same bytes for the same contents."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as gz, tarfile.open(fileobj=gz, mode="w") as archive:
        for path, content in contents.items():
            member = tarfile.TarInfo(path)
            member.size = len(content)
            member.mode = 0o755 if "/bin/" in path else 0o644
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def orders_for(folder: t.Any, *tools: ToolOrder, **changes: t.Any) -> Orders:
    """Return orders for a host whose root and bin_dir lie in *folder*."""
    with open(FINGERPRINT) as handle:
        fingerprint = handle.read()
    orders = Orders(os.path.join(str(folder), "root"), os.path.join(str(folder), "bin"), "wanted", fingerprint)
    return orders._replace(tools=list(tools), **changes)
