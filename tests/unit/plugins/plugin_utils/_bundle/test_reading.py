# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A bundle that somebody changed is refused, with what is wrong in it, before anything is believed."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._asset import tar_writer
from ansible_collections.pinned.release.plugins.plugin_utils._bundle import layout, reading
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.bundled import tarred
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.mirrored import sha256

ASSET = f"assets/{sha256(b'asset')}"
CONTENTS = {"README": b"read me", "locks/a.lock.json": b"{}", ASSET: b"asset"}


def sums(contents: Mapping[str, bytes]) -> bytes:
    return "".join(f"{sha256(content)}  {name}\n" for name, content in contents.items()).encode()


def whole(contents: Mapping[str, bytes] | None = None) -> dict[str, bytes]:
    contents = CONTENTS if contents is None else contents
    return {layout.SUMS: sums(contents), **contents}


def read(tmp_path: Path, content: bytes) -> dict[str, bytes]:
    path = tmp_path / "x.bundle.tar"
    path.write_bytes(content)
    with reading.opened(path) as bundle:
        assert bundle.sha256 == sha256(content)
        return {name: b"".join(bundle.chunks(name)) for name in bundle.parts}


def test_whole_bundle_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, tarred(whole())) == CONTENTS


def link(contents: Mapping[str, bytes]) -> bytes:
    linked = tar_writer.header(tar_writer.SYMLINK, "locks/b", link="a.lock.json")
    return tarred(whole(contents))[:-1024] + linked + bytes(1024)


def twice(contents: Mapping[str, bytes]) -> bytes:
    one = tarred(whole(contents))[:-1024]
    return one + tarred({"README": contents["README"]})


REFUSED: dict[str, tuple[Callable[[Mapping[str, bytes]], bytes], str]] = {
    "a byte changed": (lambda all: tarred({**whole(all), ASSET: b"assez"}), f"{ASSET} in .* was changed"),
    "the lock file changed": (lambda all: tarred({**whole(all), "locks/a.lock.json": b"[]"}), "was changed"),
    "a member added": (lambda all: tarred({**whole(all), "locks/b": b"x"}), "does not name\n.*found: locks/b"),
    "a member missing": (lambda all: tarred({layout.SUMS: sums(all), "README": b"read me"}), "lacks members"),
    "a path that leads out": (lambda all: tarred({**whole(all), "../../etc/cron.d/x": b"x"}), "leads outside"),
    "an absolute path": (lambda all: tarred({**whole(all), "/etc/cron.d/x": b"x"}), "has an absolute path"),
    "sums with a path that leads out": (lambda all: tarred(whole({**all, "locks/../../x": b"x"})), "none of a bundle"),
    "sums with an asset of another name": (
        lambda all: tarred(whole({**all, "assets/" + "0" * 64: b"x"})),
        "a line that none of a bundle has",
    ),
    "sums with a path of no bundle": (lambda all: tarred(whole({**all, "bin/x": b"x"})), "none of a bundle has"),
    "sums with a line twice": (
        lambda all: tarred({**whole(all), layout.SUMS: sums(all) + sums({"README": b"other"})}),
        "none of a bundle has",
    ),
    "a link": (link, "is no plain file"),
    "a member twice": (twice, "README"),
    "cut short": (lambda all: tarred(whole(all))[:-1500], "ends in the middle"),
    "no end": (lambda all: tarred(whole(all))[:-1024], "ends in the middle"),
    "no archive": (lambda all: b"hello" * 1000, "no bundle"),
    "empty": (lambda all: b"", "no bundle"),
    "an empty archive": (lambda all: bytes(1024), "no bundle"),
    "sums that are not the first": (lambda all: tarred({**all, layout.SUMS: sums(all)}), "no bundle"),
    "sums that are no text": (lambda all: tarred({**all, layout.SUMS: b"\xff"}), "no bundle"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bundle_is_refused_with(tmp_path: Path, case: str) -> None:
    make, words = REFUSED[case]
    with pytest.raises(ReleaseError, match=f"(?s){words}") as refused:
        read(tmp_path, make(CONTENTS))
    assert "x.bundle.tar" in str(refused.value)
    assert "bundle" in str(refused.value.fix), "it is no archive of a publisher"


def test_whatever_byte_is_changed_it_is_refused(tmp_path: Path) -> None:
    content = tarred(whole())
    for at in [*range(0, len(content), 53), len(content) - 1]:
        changed = bytearray(content)
        changed[at] ^= 1
        with pytest.raises(ReleaseError):
            read(tmp_path, bytes(changed))


@pytest.mark.parametrize("size", [1, 512, 2_000_000])
def test_what_follows_the_end_of_the_archive_is_refused(tmp_path: Path, size: int) -> None:
    assert read(tmp_path, tarred(whole()) + bytes(size)) == CONTENTS, "GNU tar fills up its records"
    with pytest.raises(ReleaseError, match="between its members, or after them"):
        read(tmp_path, tarred(whole()) + bytes(size) + b"carried along")


def test_sums_that_are_too_long_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "SUMS_LIMIT_BYTES", 10)
    with pytest.raises(reading.NoBundleError):
        read(tmp_path, tarred(whole()))


def test_folder_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="cannot read the bundle"), reading.opened(tmp_path):
        pass


def test_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ReleaseError), reading.opened(tmp_path / "pipe"):
        pass


def commented(member: bytes) -> bytes:
    """Return the header before *member* of a whole bundle, after an extended one that is said to be a comment."""
    record = b"1010 comment=" + b"carried along" * 76 + b"........\n"
    assert len(record) == 1010
    extended = bytearray(tar_writer.header(tar_writer.FILE, "pax", size=len(record)))
    extended[148:157] = b" " * 8 + b"x"
    extended[148:156] = b"%06o\0 " % sum(extended)
    return bytes(extended) + record + tar_writer.padding(len(record)) + member


@pytest.mark.parametrize("member", [layout.SUMS, *CONTENTS])
def test_what_hides_in_a_header_is_refused(tmp_path: Path, member: str) -> None:
    content = tarred(whole())
    header = tar_writer.header(tar_writer.FILE, member, size=len(whole()[member]))
    owned = bytearray(header)
    owned[265:278] = b"carried along"  # the owner's name
    owned[148:156] = b" " * 8
    owned[148:156] = b"%06o\0 " % sum(owned)
    for hiding in (bytes(owned), commented(header)):
        with pytest.raises(ReleaseError, match=f"between its members(?s:.*)found: something else before {member}"):
            read(tmp_path, content.replace(header, hiding, 1))


def test_member_with_a_long_name_is_read(tmp_path: Path) -> None:
    contents = {f"locks/{'a' * 120}.lock.json": b"{}", **CONTENTS}
    assert read(tmp_path, tarred(whole(contents))) == contents
