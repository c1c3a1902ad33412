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

with open(os.path.join(os.path.dirname(__file__), "../../../../plugins/plugin_utils/_host/fingerprint.sh")) as _file:
    #: Read once: a test may ask as a user who cannot read the clone.
    FINGERPRINT = _file.read()


class Released:
    """One version of a tool, published in a folder.

    *files* are more of its files, or other bytes of its programs, by their paths inside. *linked* are those of them
    that are linked below the folder that bin_dir lies in, by their paths there. The folder bin of its programs lies in
    its folder *inside*.
    """

    def __init__(
        self,
        folder: t.Any,
        tool: str = "hello",
        version: str = "1.0",
        programs: t.Sequence[str] = ("hello",),
        files: t.Optional[t.Mapping[str, bytes]] = None,
        linked: t.Optional[t.Mapping[str, str]] = None,
        inside: str = "",
    ) -> None:
        self.tool = tool
        self.version = version
        self.path = os.path.join(str(folder), "{0}-{1}.tar.gz".format(tool, version))
        contents = {
            "{0}-{1}/{2}bin/{3}".format(tool, version, inside, name): "#!/bin/sh\necho {0} {1}\n".format(
                name, version
            ).encode()
            for name in programs
        }
        contents["{0}-{1}/README".format(tool, version)] = b"read me\n"
        contents.update({"{0}-{1}/{2}".format(tool, version, path): content for path, content in (files or {}).items()})
        self.contents = contents
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
            ["file://" + self.path],
            len(published),
            self.sha256,
            "tar.gz",
            sum(len(content) for content in contents.values()),
        )
        top = "{0}-{1}".format(tool, version)
        self.linked = {path: "{0}/{1}".format(top, inside) for path, inside in (linked or {}).items()}
        programs_inside = {name: program.path for name, program in self.programs.items()}
        self.tree_sha256 = _tree_sha256(top, contents, programs_inside, self.linked)

    def order(self, **changes: t.Any) -> ToolOrder:
        """Return the order that installs this version on a host without any."""
        order = ToolOrder(
            tool=self.tool,
            tree=self.tree,
            tree_sha256=self.tree_sha256,
            asset=self.asset,
            programs=self.programs,
            files=self.linked,
        )
        return order._replace(
            **dict(
                {"receipt": {"version": self.version, "sha256": self.sha256, "tree_sha256": self.tree_sha256}},
                **changes,
            )
        )


def _tree_sha256(top: str, contents: t.Dict[str, bytes], programs: t.Dict[str, str], linked: t.Dict[str, str]) -> str:
    """Return the tree digest by its definition, line by line."""
    folders = {folder for path in contents for folder in _folders_of("libexec/" + path)}
    of_links = {folder for path in linked for folder in _folders_of("files/" + path)}
    lines = ["41ed {0}".format(folder) for folder in ["bin", *folders, *of_links]]
    for path, content in contents.items():
        lines.append("{0} libexec/{1}".format("81ed" if path in programs.values() else "81a4", path))
        lines.append("{0}  libexec/{1}".format(hashlib.sha256(content).hexdigest(), path))
    lines += ["a1ff tree", "tree -> libexec/{0}".format(top)]
    for path, inside in linked.items():
        lines += ["a1ff files/{0}".format(path)]
        lines += ["files/{0} -> {1}libexec/{2}".format(path, "../" * (path.count("/") + 1), inside)]
    for name, path in programs.items():
        lines += ["a1ff bin/{0}".format(name), "bin/{0} -> ../libexec/{1}".format(name, path)]
    return hashlib.sha256("".join(line + "\n" for line in sorted(lines)).encode()).hexdigest()


def _folders_of(path: str) -> t.List[str]:
    return [path[:end] for end, letter in enumerate(path) if letter == "/"]


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
    orders = Orders(os.path.join(str(folder), "root"), os.path.join(str(folder), "bin"), "wanted", FINGERPRINT)
    return orders._replace(tools=list(tools), **changes)
