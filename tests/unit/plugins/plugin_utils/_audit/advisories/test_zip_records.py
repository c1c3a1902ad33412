# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A dump is read whole or refused; a member that is not as its entry says is told, and costs no more than its limit."""

from __future__ import annotations

import struct
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories import zip_records
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.zip_records import read_records


def made(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


def reasons(path: Path) -> list[str]:
    return [content.what for _name, content in read_records(path) if isinstance(content, ReleaseError)]


def directory_of(*members: tuple[bytes, int, int, int, int]) -> bytes:
    """Return a zip file's directory of *members*: name, CRC-32, size in the file, size, place of its header."""
    entries = b"".join(
        struct.pack("<4s6H3I5H2I", b"PK\x01\x02", 20, 20, 0, 8, 0, 0, crc, packed, size, len(name), *[0] * 4, 0, at)
        + name
        for name, crc, packed, size, at in members
    )
    return entries + struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, len(members), len(members), len(entries), 0, 0)


def local(name: bytes, content: bytes) -> bytes:
    return struct.pack("<4s5H3I2H", b"PK\x03\x04", 20, 0, 8, 0, 0, 0, 0, 0, len(name), 0) + name + content


def deflated(content: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(content) + packer.flush()


def raw(path: Path, *members: tuple[bytes, bytes, int, int]) -> Path:
    """Write a zip file of *members*: name, content as it is packed, CRC-32, size that the directory claims."""
    body, entries = b"", []
    for name, packed, crc, size in members:
        entries.append((name, crc, len(packed), size, len(body)))
        body += local(name, packed)
    end = directory_of(*entries)
    at = end.rindex(b"PK\x05\x06") + 16
    path.write_bytes(body + end[:at] + struct.pack("<I", len(body)) + end[at + 4 :])
    return path


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_every_record_is_read_as_it_was_packed(tmp_path: Path, method: int) -> None:
    members = {f"folder/{number}.json": b"{%d}" % number * number for number in range(100)}
    path = made(tmp_path / "all.zip", {**members, "README.md": b"x", "modified_id.csv": b"y"}, method)
    assert dict(read_records(path)) == members


def test_a_member_with_an_extra_field_is_read(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("a.json")
    info.extra = struct.pack("<HH4s", 0xCAFE, 4, b"abcd")
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as file:
        file.writestr(info, b"{}")
    assert dict(read_records(tmp_path / "all.zip")) == {"a.json": b"{}"}


def test_a_member_that_inflates_to_more_than_it_says_costs_no_more(tmp_path: Path) -> None:
    bomb = deflated(bytes(64 * 1024 * 1024))
    path = raw(tmp_path / "all.zip", (b"a.json", bomb, 0, 1000))
    tracemalloc.start()
    try:
        assert reasons(path) == ["has other bytes than its zip file says"]
        assert tracemalloc.get_traced_memory()[1] < 4 * 1024 * 1024
    finally:
        tracemalloc.stop()


def test_a_member_larger_than_any_record_is_not_inflated(tmp_path: Path) -> None:
    size = zip_records.LONGEST_RECORD_BYTES + 1
    assert "larger than any record" in reasons(raw(tmp_path / "all.zip", (b"a.json", b"", 0, size)))[0]


def test_members_that_say_to_be_larger_than_any_database_are_refused_at_once(tmp_path: Path) -> None:
    many = [(b"%d.json" % number, b"", 0, 0xF0000000) for number in range(5)]
    with pytest.raises(ReleaseError, match="no database of advisories") as caught:
        reasons(raw(tmp_path / "all.zip", *many))
    assert "when it is unpacked" in str(caught.value.found)


def test_members_that_share_their_bytes_are_refused(tmp_path: Path) -> None:
    packed = deflated(bytes(1_000_000))
    body = local(b"0.json", packed)
    end = directory_of(*[(b"0.json", 0, len(packed), 1_000_000, 0)] * 1000)
    at = end.rindex(b"PK\x05\x06") + 16
    (tmp_path / "all.zip").write_bytes(body + end[:at] + struct.pack("<I", len(body)) + end[at + 4 :])
    with pytest.raises(ReleaseError) as caught:
        reasons(tmp_path / "all.zip")
    assert caught.value.found == "members that share their bytes"


def test_more_members_than_any_database_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zip_records, "MOST_MEMBERS", 10)
    path = made(tmp_path / "all.zip", {f"{number}.json": b"{}" for number in range(11)})
    with pytest.raises(ReleaseError) as caught:
        reasons(path)
    assert caught.value.found == "more than 10 members"


@pytest.mark.parametrize(
    ("packed", "crc", "size", "reason"),
    [
        (deflated(b"{}"), 1, 2, "has other bytes than its zip file says"),
        (deflated(b"{}"), zlib.crc32(b"{}"), 3, "has other bytes than its zip file says"),
        (b"\xff\xff\xff", 0, 2, "cannot be inflated"),
    ],
)
def test_a_member_with_other_bytes_is_told(tmp_path: Path, packed: bytes, crc: int, size: int, reason: str) -> None:
    assert reason in reasons(raw(tmp_path / "all.zip", (b"a.json", packed, crc, size)))[0]


def test_a_member_that_is_compressed_otherwise_is_told(tmp_path: Path) -> None:
    path = made(tmp_path / "all.zip", {"a.json": b"{}"}, zipfile.ZIP_BZIP2)
    assert reasons(path) == ["is encrypted, or compressed otherwise than by deflate"]


def test_a_dump_that_is_cut_off_anywhere_is_refused(tmp_path: Path) -> None:
    whole = made(tmp_path / "all.zip", {f"{number}.json": b"{}" * number for number in range(20)}).read_bytes()
    for length in range(0, len(whole), 97):
        (tmp_path / "cut.zip").write_bytes(whole[:length])
        with pytest.raises(ReleaseError, match="damaged"):
            reasons(tmp_path / "cut.zip")
