# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What comes out of archives, and what must never: every test looks at the file system, not at the reader's word."""

import contextlib
import errno
import hashlib
import io
import os
import resource
import stat
import struct
import subprocess
import sys
import tarfile
import tempfile
import types
import zipfile

import pytest
from ansible_collections.pinned.release.plugins.module_utils import archive as archives
from ansible_collections.pinned.release.plugins.module_utils import decompress, member_names
from ansible_collections.pinned.release.plugins.module_utils import tar as tar_reader
from ansible_collections.pinned.release.plugins.module_utils.archive import FORMATS, format_of, open_archive, unpack
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.file_errors import file_error
from ansible_collections.pinned.release.tests.unit.plugins.module_utils.made_archives import (
    COMPRESSORS,
    archive,
    directory,
    file,
    hard_link,
    link,
    tar,
    zipped,
    zstd,
    zstd_program,
)
from hypothesis import example, given, settings
from hypothesis import strategies as st

NAMED_FORMATS = [name for name in FORMATS if "tar" in name or name == "zip"]
PLENTY = 1 << 30
PROGRAM_FOLDERS = decompress.PROGRAM_FOLDERS


@pytest.fixture(autouse=True, scope="module")
def a_zstd(tmp_path_factory):
    """Let every Python decode zst, whatever this machine has."""
    folders = decompress.PROGRAM_FOLDERS
    decompress.PROGRAM_FOLDERS = (*folders, zstd_program(tmp_path_factory.mktemp("bin")))
    yield
    decompress.PROGRAM_FOLDERS = folders


class Box:
    """A folder with an archive in it, an empty place to unpack to, and things beside that must stay as they are."""

    def __init__(self, folder):
        self.folder = str(folder)
        self.path = os.path.join(self.folder, "asset")
        self.staging = os.path.join(self.folder, "beside", "staging")
        os.makedirs(self.staging)
        for name in ("victim", "beside/victim"):
            with open(os.path.join(self.folder, name), "w") as victim:
                victim.write("untouched")

    def unpack(self, data, archive_format="tar", program_name="tool", max_total_bytes=PLENTY, **options):
        self.put(data)
        return unpack(self.path, archive_format, program_name, self.staging, max_total_bytes, **options)

    def put(self, data):
        with open(self.path, "wb") as asset:
            asset.write(data)

    def open(self, data, archive_format="tar", **options):
        self.put(data)
        return open_archive(self.path, archive_format, "tool", **options)

    def inside(self):
        """Return what was unpacked: content of files, targets of links, None for directories."""
        return {os.path.relpath(path, self.staging): seen for path, seen in self._walk() if self._is_inside(path)}

    def outside(self):
        return {path: seen for path, seen in self._walk() if not self._is_inside(path) and path != self.path}

    def mode(self, name):
        return stat.S_IMODE(os.lstat(os.path.join(self.staging, name)).st_mode)

    def _is_inside(self, path):
        return path.startswith(self.staging + os.sep)

    def _walk(self):
        for top, folders, files in os.walk(self.folder):
            for name in folders + files:
                path = os.path.join(top, name)
                if os.path.islink(path):
                    yield path, os.readlink(path)
                elif os.path.isdir(path):
                    yield path, None
                else:
                    with open(path, "rb") as content:
                        yield path, content.read()


@pytest.fixture
def box(tmp_path):
    return Box(tmp_path)


def walked(opened):
    """Return each member with its content, None for a link, as one walk tells them."""
    return [(member, content.read() if content else None) for member, content in opened.walk()]


def assert_refused(box, data, *words, **options):
    """Assert that *data* is refused in one error with *words*, on the controller as on a host, and nothing got out."""
    before = box.outside()
    with pytest.raises(ReleaseError) as refusal:
        box.unpack(data, **options)
    assert box.outside() == before
    for word in words:
        assert word in str(refusal.value)
    looking = {key: value for key, value in options.items() if key in ("archive_format", "max_total_bytes")}
    with pytest.raises(ReleaseError), box.open(data, **looking) as opened:
        walked(opened)


# What a name promises


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("uv-x86_64-unknown-linux-gnu.tar.gz", "tar.gz"),
        ("tool.TGZ", "tar.gz"),
        ("tool.txz", "tar.xz"),
        ("tool.tar.xz", "tar.xz"),
        ("tool.tbz", "tar.bz2"),
        ("tool.tbz2", "tar.bz2"),
        ("tool.tar.bz2", "tar.bz2"),
        ("tool.tzst", "tar.zst"),
        ("tool.tar.zst", "tar.zst"),
        ("tool.tar", "tar"),
        ("tool.zip", "zip"),
        ("uv-0.9.0-py3-none-any.whl", "zip"),
        ("tool.gz", "gz"),
        ("tool-linux-amd64.xz", "xz"),
        ("tool.bz2", "bz2"),
        ("tool.zst", "zst"),
        ("tool.exe", "bare"),
        ("tool-v1.2.3-linux-amd64", "bare"),
        ("targz", "bare"),
    ],
)
def test_name_promises_a_format(name, expected):
    assert format_of(name) == expected
    assert expected in FORMATS


@pytest.mark.parametrize("archive_format", FORMATS)
def test_web_page_instead_of_the_asset_is_named_as_such(box, archive_format):
    page = b"<!DOCTYPE html>\n<html><title>Sign in</title>" + bytes(600)
    assert_refused(box, page, "'<!DOCTYPE html>", "web page", archive_format=archive_format)


@pytest.mark.parametrize("archive_format", FORMATS)
def test_empty_file_is_no_archive_and_no_program(box, archive_format):
    assert_refused(box, b"", "an empty file", archive_format=archive_format)


@pytest.mark.parametrize(
    ("archive_format", "kind"), [("tar.gz", "gzip"), ("tar", "tar"), ("xz", "xz"), ("tar.zst", "zstd")]
)
def test_archive_of_another_kind_is_refused_with_both_kinds(box, archive_format, kind):
    assert_refused(box, zipped(file("a")) + bytes(512), "not a " + kind, "a zip file", archive_format=archive_format)


def test_unknown_format_is_refused(box):
    with pytest.raises(ReleaseError, match="rar"):
        box.unpack(b"data", "rar")


# What honest archives become


@pytest.mark.parametrize("archive_format", NAMED_FORMATS)
def test_every_format_unpacks_to_the_same_tree(box, archive_format):
    program = os.urandom(300000)
    members = [
        directory("tool-1.0"),
        file("tool-1.0/bin/tool", program, 0o755),
        file("./tool-1.0/README", b""),
        link("tool-1.0/bin/alias", "tool"),
    ]
    unpacked = box.unpack(archive(archive_format, *members), archive_format)
    assert box.inside() == {
        "tool-1.0": None,
        "tool-1.0/bin": None,
        "tool-1.0/bin/tool": program,
        "tool-1.0/README": b"",
        "tool-1.0/bin/alias": "tool",
    }
    assert [tuple(found) for found in unpacked.files] == [
        ("tool-1.0/bin/tool", hashlib.sha256(program).hexdigest(), 300000, True),
        ("tool-1.0/README", hashlib.sha256(b"").hexdigest(), 0, False),
    ]


@pytest.mark.parametrize("archive_format", ["gz", "xz", "bz2", "zst", "bare"])
def test_single_program_gets_its_name_and_is_executable(box, archive_format):
    program = b"\x7fELF" + os.urandom(300000)
    unpacked = box.unpack(COMPRESSORS.get(archive_format, bytes)(program), archive_format, "tool", len(program))
    assert box.inside() == {"tool": program}
    assert box.mode("tool") == 0o755
    assert [tuple(found) for found in unpacked.files] == [
        ("tool", hashlib.sha256(program).hexdigest(), len(program), True)
    ]


def test_modes_are_normalised_whatever_archive_and_umask_say(box):
    members = [
        directory("wide", 0o2777),
        file("wide/set-id", b"", 0o6755),
        file("wide/secret", b"", 0o600),
        file("wide/any-bit", b"", 0o601),
    ]
    umask = os.umask(0o077)
    try:
        box.unpack(tar(*members))
    finally:
        os.umask(umask)
    assert box.mode("wide") == 0o755
    assert [box.mode("wide/" + name) for name in ("set-id", "secret", "any-bit")] == [0o755, 0o644, 0o755]


def test_named_executables_become_programs_where_the_archive_does_not_say_so(box):
    box.unpack(zipped(file("tool", b"", 0o644), file("other", b"", 0o644)), "zip", executables=["tool"])
    assert (box.mode("tool"), box.mode("other")) == (0o755, 0o644)


def test_scripts_of_a_wheel_are_executable_even_if_not_marked(box):
    scripts = "tool-1.0.data/scripts/tool"
    data = zipped(file(scripts, b"", 0), file("tool/data.txt", b"", 0))
    with box.open(data, "zip") as opened:
        assert [member.path for member, _content in walked(opened) if member.is_executable] == [scripts]


def test_links_inside_stay_links_and_lead_where_they_led(box):
    box.unpack(
        tar(
            link("node/bin/npm", "../lib/npm/cli.js"),
            file("node/lib/npm/cli.js", b"npm"),
            link("T.framework/Versions/Current", "A"),
            link("T.framework/T", "Versions/Current/T"),
            file("T.framework/Versions/A/T", b"framework"),
            link("node/up", ".."),
            link("node/nowhere", "lib/gone"),
        )
    )
    assert box.inside()["node/bin/npm"] == "../lib/npm/cli.js"
    for path, content in (("node/bin/npm", b"npm"), ("T.framework/T", b"framework"), ("node/up/node/bin/npm", b"npm")):
        with open(os.path.join(box.staging, path), "rb") as led:
            assert led.read() == content
    assert box.inside()["node/nowhere"] == "lib/gone"


def test_hard_links_become_copies(box):
    data = tar(file("git", b"program", 0o755), hard_link("git-add", "git"), hard_link("git-log", "./git-add"))
    unpacked = box.unpack(data, max_total_bytes=21)
    assert [found._replace(path="") for found in unpacked.files] == [unpacked.files[0]._replace(path="")] * 3
    assert box.inside() == dict.fromkeys(["git", "git-add", "git-log"], b"program")
    assert os.lstat(os.path.join(box.staging, "git")).st_nlink == 1


def test_empty_directories_are_kept(box):
    box.unpack(tar(directory("a/b/"), directory("./"), directory("a/b")))
    assert box.inside() == {"a": None, "a/b": None}


@pytest.mark.parametrize("archive_format", ["tar", "zip"])
def test_what_macos_adds_is_left_out(box, archive_format):
    members = [file("._tool"), file("tool", b"x"), file("__MACOSX/._tool"), file("__MACOSX/more"), file("a/._b")]
    box.unpack(archive(archive_format, *members), archive_format, max_total_bytes=1)
    assert box.inside() == {"tool": b"x"}


def test_git_archive_with_its_global_header_unpacks(box):
    header = tarfile.TarInfo.create_pax_global_header({"comment": "0" * 40})
    box.unpack(header + tar(file("a", b"1")))
    assert box.inside() == {"a": b"1"}


@pytest.mark.parametrize("tar_format", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_and_targets_unpack(box, tar_format):
    long_name = "/".join(["directory" * 9] * 5) + "/file"
    box.unpack(tar(file(long_name, b"1"), link("short", long_name), format=tar_format))
    assert box.inside()[long_name] == b"1"
    assert box.inside()["short"] == long_name


def test_ustar_prefix_is_part_of_the_name(box):
    name = "a" * 90 + "/" + "b" * 90
    box.unpack(tar(file(name, b"1"), format=tarfile.USTAR_FORMAT))
    assert box.inside()[name] == b"1"


def test_extended_header_overrides_name_and_size(box):
    info, content = file("ignored", b"1234567")
    info.size = 0
    info.pax_headers = {"path": "real", "size": "7"}
    data = info.tobuf(tarfile.PAX_FORMAT) + content + bytes(505) + tar(file("next", b"2"))
    box.unpack(data)
    assert box.inside() == {"real": b"1234567", "next": b"2"}


def test_sizes_in_base_256_are_read(box):
    info, content = file("a", b"12")
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    header[124:136] = b"\x80" + (2).to_bytes(11, "big")
    box.unpack(with_checksum(header) + content + bytes(510) + bytes(1024))
    assert box.inside() == {"a": b"12"}


def test_archive_from_before_posix_unpacks(box):
    info, content = file("a", b"12", type=tarfile.AREGTYPE)
    header = bytearray(info.tobuf(tarfile.USTAR_FORMAT))
    folder = bytearray(file("d/", b"", type=tarfile.AREGTYPE)[0].tobuf(tarfile.USTAR_FORMAT))
    header[257:512] = folder[257:512] = bytes(255)
    box.unpack(with_checksum(folder) + with_checksum(header) + content + bytes(510) + bytes(1024))
    assert box.inside() == {"a": b"12", "d": None}


def with_checksum(header):
    header[148:156] = b" " * 8
    header[148:156] = f"{sum(header):06o}\0 ".encode()
    return bytes(header)


def with_signed_checksum(header):
    header[148:156] = b" " * 8
    header[148:156] = f"{sum(byte - 256 * (byte >= 128) for byte in header):06o}\0 ".encode()
    return bytes(header)


@pytest.mark.parametrize("owner", [b"", b"caf\xc3\xa9", b"\x7f\x80", b"\x80", b"\xff" * 31])
def test_checksum_of_signed_characters_is_as_right_as_that_of_unsigned_ones(box, owner):
    data = b""
    for name, checksum in (("a", with_signed_checksum), ("b", with_checksum)):
        info, content = file(name, b"12")
        header = bytearray(info.tobuf(tarfile.USTAR_FORMAT))
        header[265 : 265 + len(owner)] = owner
        data += checksum(header) + content + bytes(510)
    box.unpack(data + bytes(1024))
    assert box.inside() == {"a": b"12", "b": b"12"}


def test_names_beyond_ascii_unpack_under_any_locale(box):
    box.put(tar(file("caf\u00e9/\u6f22", b"1"), link("lien-\u00e9", "caf\u00e9/\u6f22")))
    script = "import sys; from {0} import unpack; unpack(sys.argv[1], 'tar', 'tool', sys.argv[2], 9)"
    environment = dict(
        os.environ, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0", PYTHONPATH=os.pathsep.join(sys.path)
    )
    command = [sys.executable, "-c", script.format(unpack.__module__), box.path, box.staging]
    subprocess.check_call(command, env=environment)
    names = os.listdir(os.path.join(box.staging.encode(), "caf\u00e9".encode("utf-8")))
    assert names == ["\u6f22".encode("utf-8")]


@pytest.mark.parametrize("compression", sorted(COMPRESSORS))
def test_several_compressed_streams_are_one_file(box, compression):
    if compression == "zst":
        # The stand-in for zstd knows one frame only.
        return
    compress = COMPRESSORS[compression]
    box.unpack(compress(b"one") + bytes(4) + compress(b"") + compress(b"two") + bytes(8), compression)
    assert box.inside() == {"tool": b"onetwo"}


def test_what_follows_a_gzip_stream_is_ignored_as_gzip_does(box):
    box.unpack(COMPRESSORS["gz"](b"program") + b"signature", "gz")
    assert box.inside() == {"tool": b"program"}


def test_compressed_tar_without_end_marker_unpacks(box):
    box.unpack(COMPRESSORS["gz"](tar(file("a", b"1"))[:-1024]), "tar.gz")
    assert box.inside() == {"a": b"1"}


def test_zip64_unpacks(box):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made, made.open("big", "w", force_zip64=True) as member:
        member.write(b"12")
    box.unpack(buffer.getvalue(), "zip")
    assert box.inside() == {"big": b"12"}


def test_all_that_was_written_is_synced(box, monkeypatch):
    synced = []
    real_fsync = os.fsync

    def fsync(descriptor):
        synced.append(os.fstat(descriptor).st_ino)
        real_fsync(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    box.unpack(tar(file("a/b/c"), file("d"), link("e", "d")))
    paths = [box.staging] + [os.path.join(box.staging, name) for name in ("a", "a/b", "a/b/c", "d")]
    assert sorted(synced) == sorted(os.stat(path).st_ino for path in paths)
    order = [synced.index(os.stat(path).st_ino) for path in paths]
    assert max(order[3:]) < min(order[:3]), "a folder was synced before a file"


# What the controller sees


def test_members_tell_all_about_files_and_links(box):
    data = tar(file("a/tool", b"1234", 0o755), link("b", "c"), link("c", "a/tool"), hard_link("d", "a/tool"))
    with box.open(data) as opened:
        assert [tuple(member) for member, _content in walked(opened)] == [
            ("a/tool", 4, True, "file", None),
            ("d", 4, True, "file", "a/tool"),
            ("b", 0, False, "link", "a/tool"),
            ("c", 0, False, "link", "a/tool"),
        ]


@pytest.mark.parametrize("archive_format", ["gz", "xz", "bz2", "zst", "bare"])
def test_a_single_program_is_the_only_member(box, archive_format):
    with box.open(COMPRESSORS.get(archive_format, bytes)(b"#" * 5000), archive_format) as opened:
        [(member, content)] = walked(opened)
    size = 5000 if archive_format == "bare" else archives.UNKNOWN_SIZE
    assert member == archives.Member("tool", size, True, "file", None)
    assert content == b"#" * 5000


@pytest.mark.parametrize("archive_format", NAMED_FORMATS)
def test_a_spooled_member_can_be_read_from_anywhere(box, archive_format):
    data = archive(archive_format, file("first", b"1" * 1000), file("second", b"0123456789"))
    with box.open(data, archive_format) as opened:
        for member, content in opened.walk():
            with archives.spool(content) as copy:
                copy.seek(5)
                assert copy.read(2) == (b"11" if member.path == "first" else b"56")
                copy.seek(0)
                assert copy.read() == (b"1" * 1000 if member.path == "first" else b"0123456789")


def test_a_walk_reads_a_compressed_tar_once(box, monkeypatch):
    data = archive("tar.gz", *[file(str(number), os.urandom(20000)) for number in range(20)])
    box.put(data)
    read = []
    real_read = archives._File.read
    monkeypatch.setattr(archives._File, "read", lambda self, size=-1: counted(read, real_read(self, size)))
    with open_archive(box.path, "tar.gz", "tool") as opened:
        for _member, content in opened.walk():
            with archives.spool(content) as copy:
                assert len(copy.read()) == 20000
    # The head was read before, to check the format.
    assert sum(read) <= len(data) + 512


def counted(lengths, data):
    lengths.append(len(data))
    return data


def test_content_left_unread_does_not_disturb_what_follows(box):
    with box.open(tar(file("a", b"1" * 700), file("b", b"2" * 700), file("c", b"3"))) as opened:
        seen = [(member.path, content.read(index * 300)) for index, (member, content) in enumerate(opened.walk())]
    assert seen == [("a", b""), ("b", b"2" * 300), ("c", b"3")]


# What must not come out

HOSTILE_NAMES = [
    "/absolute",
    "../up",
    "a/../../up",
    "a/..",
    "..",
    "C:/drive",
    "c:drive",
    "back\\slash",
    "..\\up",
    "new\nline",
    "bell\x07",
    "delete\x7f",
    "next\x85line",
    "line\u2028separator",
    "n" * 256,
    "d/" * 520 + "f",
]


@pytest.mark.parametrize("archive_format", ["tar", "zip"])
@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_name_is_refused_and_shown(box, archive_format, name):
    data = archive(archive_format, file("good"), file(name))
    assert_refused(box, data, "the member " + ascii(name)[:100].rstrip("'"), archive_format=archive_format)


@pytest.mark.parametrize("archive_format", ["tar", "zip"])
def test_nul_in_a_name_is_refused(box, archive_format):
    info, content = file("good\0.txt")
    info.pax_headers = {"path": info.name}
    data = zipped((info, content)) if archive_format == "zip" else tar((info, content), format=tarfile.PAX_FORMAT)
    assert_refused(box, data, r"'good\x00.txt'", archive_format=archive_format)


@pytest.mark.parametrize("archive_format", ["tar", "zip"])
@pytest.mark.parametrize("name", ["", ".", "./", "//"])
def test_file_without_a_name_is_refused(box, archive_format, name):
    assert_refused(box, archive(archive_format, file(name)), archive_format=archive_format)


def test_name_that_is_not_utf8_is_refused(box):
    assert_refused(box, tar(file("caf\udce9")), "not UTF-8", r"caf\xe9")


@pytest.mark.parametrize("archive_format", ["tar", "zip"])
@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("l", "/etc/passwd"),
        ("l", ".."),
        ("l", "../victim"),
        ("a/l", "../../victim"),
        ("a/l", "b/../../../victim"),
        ("l", "a\\b"),
        ("l", "C:/x"),
        ("l", "new\nline"),
        ("l", "l"),
        ("l", "./a/../l/x"),
        ("l", "d/" * 520),
    ],
)
def test_link_out_of_the_tree_or_to_itself_is_refused(box, archive_format, path, target):
    data = archive(archive_format, file("good"), link(path, target))
    assert_refused(box, data, f"the member '{path}'", archive_format=archive_format)


def test_link_without_target_is_refused(box):
    assert_refused(box, tar(link("l", "")), "'l'")


@pytest.mark.parametrize(
    "members",
    [
        [link("d", "."), link("e", "d/../victim")],
        [link("e", "d/../victim"), link("d", ".")],
        [link("a", "b"), link("b", "a")],
        [link("a/b", "."), link("x", "a/b/../../victim")],
        [link("D", "."), link("e", "d/../victim")],
        [link("a/b/c", ".."), link("x", "a/b/c/../../victim")],
    ],
    ids=lambda members: " ".join(f"{info.name}->{info.linkname}" for info, _content in members),
)
def test_chain_of_links_out_of_the_tree_is_refused(box, members):
    assert_refused(box, tar(*members), "is a link that leads")


@pytest.mark.parametrize(
    "members",
    [
        [link("d", "other"), file("d/f")],
        [file("d/f"), link("d", "other")],
        [link("d", "../beside"), file("d/f")],
        [link("d", "."), link("d/f", "victim")],
        [link("d", "other"), directory("d/e")],
        [link("D", "other"), file("d/f")],
        [file("d"), file("d/f")],
        [file("d/f"), file("d")],
        [directory("d"), link("d", "other")],
        [link("d", "other"), directory("d")],
    ],
    ids=lambda members: " ".join(info.name for info, _content in members),
)
@pytest.mark.parametrize("archive_format", ["tar", "zip"])
def test_member_below_a_link_or_a_file_is_refused(box, archive_format, members):
    assert_refused(box, archive(archive_format, *members), "the member", archive_format=archive_format)


def test_what_lies_in_the_way_is_named(box):
    assert_refused(box, tar(link("d", "other"), file("d/f")), "'d' is a symlink, and other members lie below it")
    assert_refused(box, tar(file("d"), directory("d")), "'d' is a file, and other members lie below it")


def test_longer_chain_of_links_than_a_kernel_follows_is_refused(box):
    links = [link(f"l{number}", f"l{number + 1}") for number in range(45)]
    assert_refused(box, tar(*links, file("l45")), "links without end")


@pytest.mark.parametrize("target", ["gone", "../victim", "/etc/passwd", "later", "link", "directory", "itself"])
def test_hard_link_to_anything_but_an_earlier_file_is_refused(box, target):
    members = [link("link", "../victim"), directory("directory"), hard_link("itself", target), file("later")]
    assert_refused(box, tar(*members), "the member")


@pytest.mark.parametrize(
    "kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.GNUTYPE_SPARSE, b"V", b"M"]
)
def test_devices_fifos_and_sparse_files_are_refused(box, kind):
    assert_refused(box, tar(file("good"), file("bad", b"", type=kind)), "the member 'bad' is")


def test_fifo_in_a_zip_is_refused(box):
    assert_refused(box, zipped(file("bad", b"", type=tarfile.FIFOTYPE)), "'bad'", archive_format="zip")


def test_sparse_file_by_extended_header_is_refused(box):
    info, content = file("bad")
    info.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "9" * 15}
    assert_refused(box, tar((info, content), format=tarfile.PAX_FORMAT), "a sparse file")


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("archive_format", ["tar", "zip"])
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a", "a"),
        ("a", "./a"),
        ("README", "readme"),
        ("Doc/a", "doc/b"),
        ("stra\u00dfe", "STRASSE"),
        ("caf\u00e9", "cafe\u0301"),
    ],
)
def test_same_name_twice_is_refused_case_aside(box, archive_format, one, other):
    assert_refused(box, archive(archive_format, file(one), file(other)), "the member", archive_format=archive_format)


@pytest.mark.parametrize("key", ["path", "linkpath", "size", "GNU.sparse.name"])
def test_global_header_that_renames_every_member_is_refused(box, key):
    header = tarfile.TarInfo.create_pax_global_header({key: "1"})
    assert_refused(box, header + tar(file("a")), "a global header")


@pytest.mark.parametrize(
    "records",
    [
        b"9 path=a",
        b"9 path=ab",
        b"999 path=a\n",
        b"x path=a\n",
        b"8 patha\n",
        b"0 path=\n",
        b"1 \n",
        b"7 path\n\n",
        b"10 size=-1\n",
        b"9 size=x\n",
    ],
)
def test_extended_header_out_of_form_is_refused(box, records):
    header = file("pax", records, type=tarfile.XHDTYPE)
    assert_refused(box, tar(header, file("a")), "asset is damaged")


@pytest.mark.parametrize("too_much", [1, -1, 256, -256, 512])
def test_header_with_a_wrong_checksum_is_refused(box, too_much):
    data = bytearray(tar(file("good")))
    data[148:156] = f"{int(bytes(data[148:154]), 8) + too_much:06o}\0 ".encode()
    assert_refused(box, bytes(data), "what stands where a tar header should be is none")


def test_extended_header_of_a_gigabyte_is_refused_before_it_is_read(box):
    info, content = file("pax", b"", type=tarfile.XHDTYPE)
    for size in (1 << 30, tar_reader.MAX_EXTENSION_BYTES + 1):
        info.size = size
        assert_refused(box, tar((info, content)), "extended headers are larger")


def test_endless_extended_headers_are_refused(box, monkeypatch):
    monkeypatch.setattr(tar_reader, "MAX_EXTENSIONS_TOTAL_BYTES", 100)
    assert_refused(box, tar(*[file("pax", b"12 comment=\n", type=tarfile.XHDTYPE)] * 9), "extended headers are larger")


@pytest.mark.parametrize(
    "members",
    [
        [file(str(number)) for number in range(11)],
        [directory("./")] * 11,
        [directory("a")] * 11,
        [file("/".join("abcdefghijk"))],
    ],
)
def test_more_members_than_any_real_archive_are_refused(box, monkeypatch, members):
    monkeypatch.setattr(member_names, "MAX_MEMBERS", 10)
    assert_refused(box, tar(*members), "more members")


def test_as_many_members_as_allowed_unpack(box, monkeypatch):
    monkeypatch.setattr(member_names, "MAX_MEMBERS", 10)
    assert len(box.unpack(tar(*[file(str(number)) for number in range(10)])).files) == 10


def test_names_larger_than_any_real_archives_are_refused(box, monkeypatch):
    monkeypatch.setattr(member_names, "MAX_NAMES_BYTES", 30)
    assert_refused(box, tar(file("a" * 15), file("b" * 15), file("c")), "more members")


def test_endless_macos_metadata_is_refused(box, monkeypatch):
    monkeypatch.setattr(archives, "MAX_SKIPPED_BYTES", 4000)
    assert_refused(box, tar(*[file("._a", b"")] * 9), "macOS")
    assert_refused(box, tar(file("._a", bytes(4000))), "macOS")


def test_links_that_take_too_long_to_follow_are_refused(box, monkeypatch):
    monkeypatch.setattr(member_names, "_MAX_LINK_STEPS", 100)
    assert_refused(box, tar(*[link(f"l{number}", "a/b/c/d") for number in range(40)]), "without end")


@pytest.mark.parametrize("archive_format", NAMED_FORMATS)
def test_size_is_capped_to_the_byte(tmp_path, archive_format):
    data = archive(archive_format, file("a", bytes(6000)), file("b", bytes(4000)))
    (tmp_path / "right").mkdir()
    (tmp_path / "over").mkdir()
    assert len(Box(tmp_path / "right").unpack(data, archive_format, max_total_bytes=10000).files) == 2
    box = Box(tmp_path / "over")
    assert_refused(box, data, "at most 9999 bytes", "'b'", archive_format=archive_format, max_total_bytes=9999)
    assert "b" not in box.inside()


@pytest.mark.parametrize("archive_format", ["gz", "xz", "bz2", "zst", "bare"])
def test_size_of_a_single_program_is_capped(box, archive_format):
    data = COMPRESSORS.get(archive_format, bytes)(b"#" * 3000000)
    assert_refused(box, data, "at most 1000000 bytes", archive_format=archive_format, max_total_bytes=1000000)
    assert sum(len(content) for content in box.inside().values()) <= 1000000


def test_hard_links_count_with_their_content(box):
    data = tar(file("a", bytes(1000)), *[hard_link(str(number), "a") for number in range(9)])
    assert_refused(box, data, "at most 9999 bytes", max_total_bytes=9999)


def test_gzip_that_swells_a_thousandfold_writes_no_more_than_the_cap(box):
    data = COMPRESSORS["gz"](tar(file("a", bytes(50000000))))
    assert_refused(box, data, "at most 5000 bytes", archive_format="tar.gz", max_total_bytes=5000)
    assert box.inside() == {}


def central_directory_changed(data, offset, form, *values):
    """Return the zip file *data* with fields of its first central header overwritten."""
    changed = bytearray(data)
    struct.pack_into(form, changed, data.index(b"PK\x01\x02") + offset, *values)
    return bytes(changed)


@pytest.mark.parametrize("announced", [10, 99999])
def test_zip_that_announces_another_size_is_refused(box, announced):
    data = central_directory_changed(zipped(file("a", bytes(5000))), 24, "<L", announced)
    assert_refused_when_read(box, data, "asset is damaged")
    assert len(box.inside().get("a", b"")) <= 5000


def assert_refused_when_read(box, data, *words):
    before = box.outside()
    with pytest.raises(ReleaseError) as refusal:
        box.unpack(data, "zip")
    assert box.outside() == before
    for word in words:
        assert word in str(refusal.value)


def test_zip_with_wrong_checksum_is_refused(box):
    assert_refused_when_read(box, central_directory_changed(zipped(file("a")), 16, "<L", 1), "asset is damaged")


def test_encrypted_zip_is_refused(box):
    data = central_directory_changed(zipped(file("a")), 8, "<H", 1)
    assert_refused(box, data, "the member 'a' is encrypted", archive_format="zip")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, 93, 9])
def test_zip_by_a_method_whose_memory_is_not_bounded_is_refused(box, method):
    data = central_directory_changed(zipped(file("a")), 10, "<H", method)
    assert_refused(box, data, f"method {method}", archive_format="zip")


def test_zip_members_that_share_bytes_are_refused(box):
    kernel = zipped(file("a", bytes(1000000)))
    start = kernel.index(b"PK\x01\x02")
    end = kernel.index(b"PK\x05\x06")
    entry = kernel[start:end]
    body = kernel[:start] + b"".join(entry for _copy in range(5))
    tail = bytearray(kernel[end:])
    struct.pack_into("<HHL", tail, 8, 5, 5, 5 * len(entry))
    assert_refused(box, body + bytes(tail), "shares its bytes", archive_format="zip")


def test_zip_with_more_entries_than_it_says_is_refused_before_they_are_kept(box, monkeypatch):
    from ansible_collections.pinned.release.plugins.module_utils import zip as zip_reader

    monkeypatch.setattr(zip_reader, "MAX_MEMBERS", 10)
    assert_refused(box, zipped(*[file(str(number)) for number in range(11)]), "more members", archive_format="zip")
    monkeypatch.setattr(zip_reader, "_MAX_DIRECTORY_BYTES", 10)
    assert_refused(box, zipped(file("a")), "a directory larger", archive_format="zip")


def test_zip_link_to_more_than_a_path_is_refused_unread(box):
    data = zipped(link("l", "t" * 2000))
    assert_refused(box, data, "'l' links to a path of more than 1024 bytes", archive_format="zip")


def test_zip_with_damaged_data_is_refused(box):
    data = bytearray(zipped(file("a", bytes(5000))))
    data[31] = 0xFF
    assert_refused_when_read(box, bytes(data), "asset is damaged")


def test_zip_with_a_name_that_is_not_what_its_flag_says_is_refused(box):
    data = central_directory_changed(zipped(file("caf\u00e9")), 46 + 3, "<B", 0xFF)
    assert_refused(box, data, "asset is damaged", archive_format="zip")


def test_zip_of_a_later_version_is_refused(box):
    data = central_directory_changed(zipped(file("a")), 6, "<H", 255)
    assert_refused(box, data, "asset is damaged", archive_format="zip")


def test_zip_with_a_shortened_extra_field_is_refused(box):
    info = zipfile.ZipInfo("a")
    info.extra = struct.pack("<HHQ", 1, 24, 1)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        made.writestr(info, b"1")
    assert_refused(box, buffer.getvalue(), "asset is damaged", archive_format="zip")


def test_zip_directory_with_content_is_refused(box):
    assert_refused(box, zipped(file("d/", b"content")), "a directory with content", archive_format="zip")


@pytest.mark.parametrize("archive_format", FORMATS[:-1])
def test_truncated_archive_is_refused_wherever_it_was_cut(tmp_path, archive_format):
    if archive_format in COMPRESSORS:
        data = COMPRESSORS[archive_format](os.urandom(3000))
    else:
        data = archive(archive_format, file("a", os.urandom(3000)), file("b", b"1"))
    # A plain tar is whole with the first of its two zero blocks, a zip without a byte of its end record is not.
    whole = len(data) - (512 if archive_format == "tar" else 0)
    for end in sorted({*range(0, whole, 97), *range(whole - 30, whole)}):
        folder = tmp_path / str(end)
        folder.mkdir()
        box = Box(folder)
        with pytest.raises(ReleaseError):
            box.unpack(data[:end], archive_format)


def test_compressed_tar_cut_in_a_files_padding_is_refused(box):
    data = COMPRESSORS["gz"](tar(file("a"))[: 512 + 100])
    assert_refused(box, data, "ends in the middle", archive_format="tar.gz")


def test_endless_padding_is_refused(box, monkeypatch):
    monkeypatch.setattr(tar_reader, "MAX_PADDING_BYTES", 1000000)
    data = COMPRESSORS["gz"](tar(file("a")) + bytes(5000000))
    assert_refused(box, data, "more follows the end", archive_format="tar.gz")


def test_tar_without_any_end_marker_is_refused_as_cut_short(box):
    assert_refused(box, tar(file("a"))[:-1024], "ends in the middle")


def xz_with_window(size):
    import lzma

    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": size, "mode": lzma.MODE_FAST, "mf": lzma.MF_HC3}]
    return lzma.compress(b"program", filters=filters)


def zstd_with_window(size):
    """Return a frame of one raw block, of RFC 8878, whose header asks for a window of *size*, a power of two."""
    return b"\x28\xb5\x2f\xfd\0" + bytes([(size.bit_length() - 11) << 3]) + b"\x39\0\0program"


@pytest.fixture
def real_zstd(monkeypatch):
    if not any(os.path.exists(os.path.join(folder, "zstd")) for folder in PROGRAM_FOLDERS):
        pytest.skip("zstd is not installed: apt-get install zstd")
    monkeypatch.setattr(decompress, "PROGRAM_FOLDERS", PROGRAM_FOLDERS)


def test_window_of_xz_at_its_best_is_given(box):
    box.unpack(xz_with_window(decompress.MAX_WINDOW_BYTES), "xz")
    assert box.inside() == {"tool": b"program"}


def test_xz_that_asks_for_more_memory_is_refused_with_what_to_do(box):
    data = xz_with_window(decompress.MAX_WINDOW_BYTES * 3 // 2)
    assert_refused(box, data, "asks for more memory", "at most 64 MiB", "pin another asset", archive_format="xz")


def test_window_of_zstd_near_its_best_is_given(box, real_zstd):
    box.unpack(zstd_with_window(decompress.MAX_WINDOW_BYTES), "zst")
    assert box.inside() == {"tool": b"program"}


def test_zstd_that_asks_for_more_memory_is_refused_with_what_to_do(box, real_zstd):
    data = zstd_with_window(decompress.MAX_WINDOW_BYTES * 2)
    assert_refused(box, data, "asks for more memory", "at most 64 MiB", "pin another asset", archive_format="zst")


@pytest.mark.parametrize("program_name", ["", "..", "a/b", "/a", "a\nb"])
def test_program_name_that_is_no_file_name_is_refused(box, program_name):
    assert_refused_when_named(box, program_name)


def assert_refused_when_named(box, program_name):
    before = box.outside()
    with pytest.raises(ReleaseError):
        box.unpack(b"#!/bin/sh\n", "bare", program_name)
    assert (box.inside(), box.outside()) == ({}, before)


# What the machine cannot do


def test_destination_that_is_not_an_empty_directory_is_refused(box):
    data = tar(file("a"))
    os.symlink(box.staging, os.path.join(box.folder, "link"))
    for destination in ("victim", "link", "gone"):
        box.put(data)
        with pytest.raises(ReleaseError, match="cannot unpack into"):
            unpack(box.path, "tar", "tool", os.path.join(box.folder, destination), PLENTY)
    box.unpack(data)
    with pytest.raises(ReleaseError, match="not empty"):
        box.unpack(data)


def test_missing_archive_is_an_error_that_names_it(box):
    with pytest.raises(ReleaseError, match=r"cannot read .*asset: No such file"):
        unpack(box.path, "tar", "tool", box.staging, PLENTY)


def test_errors_call_the_archive_as_they_are_told(box):
    with pytest.raises(ReleaseError, match=r"^tool-1\.0\.tar: the member '/a'"):
        box.unpack(tar(file("/a")), name="tool-1.0.tar")


def test_file_system_that_takes_no_more_is_an_error_with_a_way_out(box):
    """A limit on file sizes is the full disk that every user can have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    box.put(tar(file("a", bytes(100000))))
    resource.setrlimit(resource.RLIMIT_FSIZE, (50000, hard))
    try:
        with pytest.raises(ReleaseError, match="File too large") as refusal:
            unpack(box.path, "tar", "tool", box.staging, PLENTY)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "ulimit" in str(refusal.value)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS])
def test_each_refusal_of_a_file_says_what_to_do(number):
    error = file_error("write", "/place", OSError(number, "words"))
    assert str(error).startswith("cannot write /place: " + os.strerror(number))
    assert error.fix


@pytest.mark.parametrize(
    ("module", "archive_format"), [("lzma", "tar.xz"), ("bz2", "bz2"), ("zlib", "tar.gz"), ("zlib", "zip")]
)
def test_python_without_a_codec_says_what_to_do(box, monkeypatch, module, archive_format):
    data = COMPRESSORS["bz2"](b"program") if archive_format == "bz2" else archive(archive_format, file("a"))
    monkeypatch.setitem(sys.modules, module, None)
    assert_refused(box, data, "cannot decode", "no module " + module, "pin the .tar.gz", archive_format=archive_format)


def test_machine_without_zstd_says_what_to_do(box, monkeypatch):
    monkeypatch.setitem(sys.modules, "compression.zstd", None)
    monkeypatch.setattr(decompress, "PROGRAM_FOLDERS", (box.folder,))
    words = ["install zstd on the host", "pin the .tar.gz asset"]
    assert_refused(box, zstd(b"program"), *words, archive_format="zst")


def test_zstd_that_others_may_change_is_not_run(box, monkeypatch):
    monkeypatch.setitem(sys.modules, "compression.zstd", None)
    monkeypatch.setattr(decompress, "PROGRAM_FOLDERS", (zstd_program(box.folder),))
    os.chmod(os.path.join(box.folder, "zstd"), 0o777)
    assert_refused(box, zstd(b"program"), "install zstd", archive_format="zst")


def test_zstd_is_run_where_python_cannot_decode(box, monkeypatch):
    monkeypatch.setitem(sys.modules, "compression.zstd", None)
    monkeypatch.setattr(decompress, "PROGRAM_FOLDERS", (zstd_program(box.folder),))
    box.unpack(zstd(b"program"), "zst")
    assert box.inside() == {"tool": b"program"}


def test_newer_python_decodes_zstd_itself(box, monkeypatch):
    class Decompressor:
        """As much of Python 3.14's class as a frame of one raw block takes."""

        eof = False
        needs_input = True
        unused_data = b""

        def __init__(self, options):
            assert options == {"window_log_max": decompress.MAX_WINDOW_LOG}

        def decompress(self, data, max_length):
            if data[:4] != b"\x28\xb5\x2f\xfd":
                raise ArithmeticError("no frame")
            self.eof = True
            return data[9:]

    fake = types.ModuleType("compression.zstd")
    fake.ZstdDecompressor = Decompressor
    fake.DecompressionParameter = types.SimpleNamespace(window_log_max="window_log_max")
    fake.ZstdError = ArithmeticError
    monkeypatch.setitem(sys.modules, "compression", types.ModuleType("compression"))
    monkeypatch.setitem(sys.modules, "compression.zstd", fake)
    monkeypatch.setattr(decompress, "PROGRAM_FOLDERS", ())
    box.unpack(zstd(b"program"), "zst")
    assert box.inside() == {"tool": b"program"}


# Whatever comes


@contextlib.contextmanager
def new_box():
    with tempfile.TemporaryDirectory() as folder:
        yield Box(folder)


PLAIN_NAMES = st.text("abcxyz09-_. \u00e9\u6f22", min_size=1, max_size=8).filter(lambda name: name.strip("."))
PLAIN_PATHS = st.lists(PLAIN_NAMES, min_size=1, max_size=4).map("/".join).filter(lambda path: "._" not in path)
HOSTILE_PATHS = st.one_of(
    st.lists(st.sampled_from(["..", ".", "", "a", "A", "b", "l", "victim", "\\", "C:"]), max_size=6).map("/".join),
    st.text(max_size=20),
)


def is_possible(contents):
    """Tell whether a file system can hold files of these names, case aside."""
    folded = [member_names.folded(path) for path in contents]
    parents = {parent[:end] for parent in folded for end in range(len(parent)) if parent[end] == "/"}
    exact = {path[:end] for path in contents for end in range(len(path) + 1) if end == len(path) or path[end] == "/"}
    return (
        len(set(folded)) == len(folded)
        and not parents & set(folded)
        and len({member_names.folded(path) for path in exact}) == len(exact)
    )


@settings(max_examples=60)
@given(
    st.dictionaries(PLAIN_PATHS, st.tuples(st.binary(max_size=2000), st.booleans()), max_size=8).filter(is_possible),
    st.sampled_from(["tar", "tar.gz", "tar.xz", "tar.bz2", "zip"]),
)
def test_any_tree_of_files_comes_out_as_it_went_in(contents, archive_format):
    members = [file(path, data, 0o755 if runs else 0o644) for path, (data, runs) in contents.items()]
    with new_box() as box:
        unpacked = box.unpack(archive(archive_format, *members), archive_format)
        assert {path: data for path, data in box.inside().items() if data is not None} == {
            path: data for path, (data, _runs) in contents.items()
        }
        assert {found.path: (found.size, found.is_executable) for found in unpacked.files} == {
            path: (len(data), runs) for path, (data, runs) in contents.items()
        }


@pytest.mark.filterwarnings("ignore:Duplicate name")
@settings(max_examples=100)
@given(
    st.lists(st.tuples(st.sampled_from("fdlh"), HOSTILE_PATHS, HOSTILE_PATHS), min_size=1, max_size=6),
    st.sampled_from(["tar", "zip"]),
)
@example([("l", "a", "."), ("l", "b", "a/../victim"), ("f", "b", "")], "tar")
def test_no_names_and_links_write_or_lead_outside(entries, archive_format):
    made = {
        "f": lambda name, _target: file(name),
        "d": lambda name, _target: directory(name),
        "l": link,
        "h": hard_link,
    }
    members = [made[kind](name, target) for kind, name, target in entries if "\0" not in name + target]
    try:
        data = archive(archive_format, *members)
    except (UnicodeError, ValueError):
        return
    with new_box() as box:
        before = box.outside()
        with contextlib.suppress(ReleaseError):
            box.unpack(data, archive_format)
        assert box.outside() == before
        root = os.path.realpath(box.staging)
        for path, target in box.inside().items():
            if isinstance(target, str):
                led = os.path.realpath(os.path.join(box.staging, path))
                assert led == root or led.startswith(root + os.sep)


HEADS = {
    "tar": b"",
    "zip": b"PK\x03\x04",
    "gz": b"\x1f\x8b\x08",
    "xz": b"\xfd7zXZ\x00",
    "bz2": b"BZh9",
}


@settings(max_examples=100)
@given(st.sampled_from([name for name in FORMATS if "zst" not in name]), st.binary(max_size=1500), st.booleans())
def test_arbitrary_bytes_raise_nothing_but_our_own_error(archive_format, data, has_head):
    head = HEADS.get(archive_format.split(".")[-1], b"") if has_head else b""
    assert_bounded(head + data, archive_format)


SAMPLES = {
    name: archive(name, file("a/tool", b"program" * 200, 0o755), link("l", "a/tool"), directory("d"))
    for name in ("tar", "tar.gz", "tar.xz", "tar.bz2", "zip")
}
SAMPLES["pax"] = tar(file("a" * 120, b"1"), link("l", "b" * 120), format=tarfile.PAX_FORMAT)
SAMPLES["gnu"] = tar(file("a" * 120, b"1"), link("l", "b" * 120))


@settings(max_examples=100)
@given(st.sampled_from(sorted(SAMPLES)), st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=4))
def test_damage_anywhere_raises_nothing_but_our_own_error(sample, changes):
    data = bytearray(SAMPLES[sample])
    for position, value in changes:
        data[position % len(data)] = value
    # With the checksums made right again, what is behind them gets tested too.
    for start in range(0, len(data) - 511, 512) if sample in ("tar", "pax", "gnu") else ():
        if data[start + 257 : start + 262] == b"ustar":
            data[start : start + 512] = with_checksum(data[start : start + 512])
    assert_bounded(bytes(data), sample if sample in FORMATS else "tar")


def assert_bounded(data, archive_format):
    with new_box() as box:
        before = box.outside()
        with contextlib.suppress(ReleaseError):
            box.unpack(data, archive_format, max_total_bytes=100000)
        assert box.outside() == before
        assert sum(len(content or b"") for content in box.inside().values()) <= 100000
        with contextlib.suppress(ReleaseError), box.open(data, archive_format) as opened:
            walked(opened)
