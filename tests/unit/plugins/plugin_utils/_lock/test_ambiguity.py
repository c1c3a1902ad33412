# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of several products is the tool: real archives of hand-made programs in a folder, locked through its source."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._lock import ambiguity, manifest
from ansible_collections.pinned.release.plugins.plugin_utils._lock.resolve import Resolver
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.cache import Cache
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.progress import ProgressReport
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources import open_source
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockedAsset, LockFile
from ansible_collections.pinned.release.tests.unit.plugins.module_utils import made_archives as made
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.tiny_programs import elf

X86_64, AARCH64 = elf(), elf(machine=183)
OTHER = elf(code=b"\1" * 16)


class Folder:
    """A folder of one release of ``tool``, and what locking it gives."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.opened: list[str] = []

    def publish(self, assets: Mapping[str, Mapping[str, bytes] | bytes]) -> None:
        release = self.path / "published" / "1.0"
        release.mkdir(parents=True)
        sums = []
        for name, held in assets.items():
            files = [] if isinstance(held, bytes) else [made.file(path, content) for path, content in held.items()]
            content = held if isinstance(held, bytes) else made.archive("tar.gz", *files)
            (release / name).write_bytes(content)
            sums.append(f"{hashlib.sha256(content).hexdigest()}  {name}\n")
        (release / "SHA256SUMS").write_text("".join(sums))

    def lock(self, more: str = "", platforms: str = "linux/x86_64", policy: str = "{}") -> dict[str, LockedAsset]:
        text = f"""
            platforms: [{platforms}]
            policy: {policy}
            tools: {{tool: {{source: {{directory: published}}, version: "1.0"{more}}}}}
        """
        cache = Cache(self.path / "cache")
        source = partial(self._open, cache)
        resolver = Resolver(source, cache, datetime.now(timezone.utc), ProgressReport(lambda line: None))
        resolution = resolver.resolve(manifest.parse(text), LockFile())
        return {asset.name: asset for asset in resolution.lock.tools["tool"].assets}

    def _open(self, cache: Cache, wanted: manifest.WantedTool):
        return open_source(
            wanted.source,
            exact=wanted.exact,
            is_wanted=wanted.allows,
            token=None,
            base=self.path,
            cache_root=cache.root,
        )


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def line_of(error: ReleaseError) -> str:
    """Return the line of manifest that the error offers, as more of the tool's entry."""
    found = re.search(r"tools\.tool\.(\w+: .+)$", error.fix or "")
    assert found is not None
    return f", {found.group(1)}"


def test_the_product_that_holds_a_program_of_the_tools_name_is_meant(folder: Folder) -> None:
    folder.publish(
        {
            "bar-1.0-linux-amd64.tar.gz": {"bar": OTHER},
            "qux-1.0-linux-amd64.tar.gz": {"qux-1.0/tool": X86_64},
            "bar-1.0-linux-arm64.tar.gz": {"bar": AARCH64},
            "qux-1.0-linux-arm64.tar.gz": {"qux-1.0/tool": AARCH64},
        }
    )
    locked = folder.lock(platforms="linux/x86_64, linux/aarch64")
    assert sorted(locked) == ["qux-1.0-linux-amd64.tar.gz", "qux-1.0-linux-arm64.tar.gz"]
    assert [list(asset.executables) for asset in locked.values()] == [["tool"], ["tool"]]


@pytest.mark.parametrize("platforms", ["linux/x86_64, linux/aarch64", "linux/aarch64, linux/x86_64"])
def test_another_product_is_no_stand_in_where_the_one_that_is_meant_lacks_a_platform(
    folder: Folder, platforms: str
) -> None:
    folder.publish(
        {
            "one-linux-x86_64.tar.gz": {"tool": X86_64},
            "two-linux-x86_64.tar.gz": {"two": X86_64},
            "two-linux-aarch64.tar.gz": {"two": AARCH64},
        }
    )
    with pytest.raises(ReleaseError, match="no program for linux/aarch64") as caught:
        folder.lock(platforms=platforms)
    assert "; one-linux-x86_64.tar.gz holds the tool, so files of other products" in (caught.value.found or "")
    assert set(folder.lock()) == {"one-linux-x86_64.tar.gz"}


def test_of_two_that_hold_it_the_one_whose_words_the_other_has_is_meant(folder: Folder) -> None:
    folder.publish(
        {
            "bar-1.0-linux-amd64.tar.gz": {"bar": OTHER},
            "qux-1.0-linux-amd64.tar.gz": {"tool": X86_64},
            "qux-full-1.0-linux-amd64.tar.gz": {"tool": X86_64, "more": OTHER},
        }
    )
    assert list(folder.lock()) == ["qux-1.0-linux-amd64.tar.gz"]


def test_what_is_too_large_to_be_opened_is_told_and_not_passed_over(
    folder: Folder,
) -> None:
    folder.publish(
        {
            "bar-1.0-linux-amd64.tar.gz": {"tool": X86_64 + bytes(1024**2)},
            "qux-1.0-linux-amd64.tar.gz": {"tool": X86_64},
        }
    )
    with pytest.raises(ReleaseError, match=r"bar-1\.0-linux-amd64\.tar\.gz unpacks to more than an asset may"):
        folder.lock(policy="{maximum_unpacked_size: 1MiB}")


@pytest.mark.parametrize(
    "other",
    [{"README": b"read me"}, {"bin/tool": AARCH64}, {"bin/tool": b"\x7fELF"}, b"\x1f\x8b no archive at all"],
    ids=["holds no program", "is for another platform", "is broken", "is no archive"],
)
def test_what_cannot_be_started_on_the_platform_is_not_meant(
    folder: Folder, other: Mapping[str, bytes] | bytes
) -> None:
    folder.publish({"bar-1.0-linux-amd64.tar.gz": other, "qux-1.0-linux-amd64.tar.gz": {"qux": X86_64}})
    assert list(folder.lock()) == ["qux-1.0-linux-amd64.tar.gz"]


def test_all_builds_of_the_product_are_locked(folder: Folder) -> None:
    musl = elf(interpreter="/lib/ld-musl-x86_64.so.1", needed=("libc.musl-x86_64.so.1",))
    folder.publish(
        {
            "bar-1.0-linux-amd64.tar.gz": {"bar": OTHER},
            "qux-1.0-linux-amd64.tar.gz": {"tool": X86_64},
            "qux-1.0-linux-amd64-musl.tar.gz": {"tool": musl},
        }
    )
    assert sorted(folder.lock()) == ["qux-1.0-linux-amd64-musl.tar.gz", "qux-1.0-linux-amd64.tar.gz"]


def test_the_programs_that_the_manifest_names_tell_which_product_is_meant(folder: Folder) -> None:
    folder.publish(
        {
            "tool-cli-1.0-linux-amd64.tar.gz": {"toolctl": X86_64},
            "tool-server-1.0-linux-amd64.tar.gz": {"toold": OTHER},
        }
    )
    assert list(folder.lock(", executables: [toold]")) == ["tool-server-1.0-linux-amd64.tar.gz"]


def test_what_stays_ambiguous_is_shown_with_its_programs_and_the_line_that_settles_it(folder: Folder) -> None:
    folder.publish(
        {
            "tool-cli-1.0-linux-amd64.tar.gz": {"toolctl": X86_64},
            "tool-server-1.0-linux-amd64.tar.gz": {"toold": OTHER},
            "tool-server-1.0-linux-arm64.tar.gz": {"toold": AARCH64},
        }
    )
    with pytest.raises(ReleaseError) as caught:
        folder.lock()
    assert caught.value.what == "tool 1.0 has several products for linux/x86_64"
    assert caught.value.found == (
        "tool-cli-1.0-linux-amd64.tar.gz (toolctl), tool-server-1.0-linux-amd64.tar.gz (toold)"
    )
    assert list(folder.lock(line_of(caught.value))) == ["tool-cli-1.0-linux-amd64.tar.gz"]


def test_bare_programs_have_no_name_of_their_own_that_could_tell(folder: Folder) -> None:
    folder.publish({"tool-cli-linux-amd64": X86_64, "tool-server-linux-amd64": OTHER})
    with pytest.raises(ReleaseError) as caught:
        folder.lock()
    assert list(folder.lock(line_of(caught.value))) == ["tool-cli-linux-amd64"]


def test_what_an_archive_holds_outweighs_a_bare_program(folder: Folder) -> None:
    folder.publish({"tool-cli-linux-amd64": X86_64, "tool-full-linux-amd64.tar.gz": {"tool": OTHER}})
    assert list(folder.lock()) == ["tool-full-linux-amd64.tar.gz"]


def test_more_products_than_anybody_wants_to_download_are_not_opened(folder: Folder) -> None:
    many = {f"part{number}-1.0-linux-amd64.tar.gz": {"part": OTHER} for number in range(ambiguity.MOST_OPENED)}
    folder.publish({**many, "qux-1.0-linux-amd64.tar.gz": {"tool": X86_64}})
    with pytest.raises(ReleaseError, match="has several products"):
        folder.lock()
    assert not [path for path in (folder.path / "cache").rglob("sha256/*/*") if path.is_file()]


def test_a_file_with_the_tools_name_for_a_system_that_nobody_asks_for_hides_no_program(folder: Folder) -> None:
    folder.publish({"tool-windows.zip": {"t.exe": b"MZ"}, "rg-linux-amd64.tar.gz": {"rg": X86_64}})
    assert list(folder.lock()) == ["rg-linux-amd64.tar.gz"]
    with pytest.raises(ReleaseError, match="no program for linux/x86_64") as caught:
        folder.lock(platforms="linux/x86_64, windows/x86_64")
    assert "; tool-windows.zip has the name of the tool, so files of other" in (caught.value.found or "")
