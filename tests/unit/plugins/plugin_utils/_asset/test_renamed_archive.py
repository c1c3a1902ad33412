# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An archive under another name has the same files, in a folder of that name."""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.module_utils.archive import format_of, unpack
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._asset import tar_writer, zip_writer
from ansible_collections.pinned.release.plugins.plugin_utils._asset.renamed_archive import renamed
from ansible_collections.pinned.release.tests.unit.plugins.module_utils import made_archives as made

MUSL, GNU = "uv-aarch64-unknown-linux-musl", "uv-aarch64-unknown-linux-gnu"
FILES = (
    made.directory(f"{MUSL}/empty"),
    made.file(f"{MUSL}/uv", b"program" * 100_000, 0o755),
    made.file(f"{MUSL}/doc/README.md", b"text"),
    made.hard_link(f"{MUSL}/uv-again", f"{MUSL}/uv"),
    made.link(f"{MUSL}/bin/uvx", "../uv"),
    made.link(f"{MUSL}/bin/doc", f"../../{MUSL}/doc"),
)
#: Of what renamed() makes of FILES: a change of it is a change of every alias.
SHA256 = "3b0a17af2a9dc72ca022a49ea9fbf01230e22ca126ab38cc66aeadecec077183"
#: A zip file knows no hard links.
OF_ZIP = (
    *(one for one in FILES if not one[0].islnk()),
    made.file(f"{MUSL}/doc/LIESMICH-ä.md", b""),
)
SHA256_OF_ZIP = "9898df00d0b3f87fa6d310f2bf6d916c5a8e888a417ce379b888e286d4d0f12f"


def write(folder: Path, name: str, *members: made.Made) -> Path:
    path = folder / name
    path.write_bytes(made.archive(format_of(name), *members))
    return path


def become(path: Path, name: str) -> bytes:
    return b"".join(renamed(path, path.name, name, 10**9))


def tree(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Return mode and content of every file, and the target of every link, below *folder*."""
    return {
        str(path.relative_to(folder)): (
            (0, bytes(path.readlink())) if path.is_symlink() else (path.stat().st_mode, path.read_bytes())
        )
        for path in folder.rglob("*")
        if path.is_symlink() or path.is_file()
    }


def unpacked(folder: Path, name: str, content: bytes) -> Path:
    (folder / name).write_bytes(content)
    place = folder / f"of-{name}"
    place.mkdir()
    unpack(str(folder / name), format_of(name), "uv", str(place), 10**9)
    return place


@pytest.mark.parametrize("ending", [".tar.gz", ".tar.xz", ".tar", ".tgz"])
def test_folder_inside_follows_the_name_and_files_stay_as_they_are(tmp_path: Path, ending: str) -> None:
    path = write(tmp_path, MUSL + ending, *FILES)
    before = tree(unpacked(tmp_path, f"before{ending}", path.read_bytes()) / MUSL)
    place = unpacked(tmp_path, f"after{ending}", become(path, GNU + ending))
    assert [one.name for one in place.iterdir()] == [GNU]
    assert (place / GNU / "empty").is_dir()
    assert tree(place / GNU) == before


def test_gnu_tar_unpacks_it_without_a_word(tmp_path: Path) -> None:
    program = shutil.which("tar")
    if program is None:
        pytest.skip("needs the program tar")
    path = write(tmp_path, f"{MUSL}.tar.gz", *FILES)
    (tmp_path / "made.tar.gz").write_bytes(become(path, f"{GNU}.tar.gz"))
    done = subprocess.run([program, "-xzf", "made.tar.gz"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert (tmp_path / GNU / "bin/uvx").read_bytes() == b"program" * 100_000
    assert (tmp_path / GNU / "uv").stat().st_mode & 0o777 == 0o755


def test_bytes_are_the_same_on_every_controller(tmp_path: Path) -> None:
    path = write(tmp_path, f"{MUSL}.tar.gz", *FILES)
    assert hashlib.sha256(become(path, f"{GNU}.tar.gz")).hexdigest() == SHA256


@pytest.mark.parametrize(
    "name", ["uv-aarch64-linux.tar.gz", "uv-aarch64-linux.zip", "uv-aarch64-linux", "uv-aarch64-linux.gz"]
)
def test_asset_whose_names_do_not_repeat_its_own_is_copied(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, name, made.file("uv", b"program", 0o755))
    assert become(path, name.replace("linux", "linux-gnu")) == path.read_bytes()


def test_program_that_is_called_like_the_archive_follows_the_name(tmp_path: Path) -> None:
    path = write(tmp_path, f"{MUSL}.tar.gz", made.file(MUSL, b"program", 0o755), made.file(f"{MUSL}.1", b"manual"))
    with tarfile.open(fileobj=io.BytesIO(become(path, f"{GNU}.tar.gz"))) as archive:
        assert archive.getnames() == [GNU, f"{GNU}.1"]


@pytest.mark.parametrize(
    ("asset", "before", "alias", "after"),
    [
        # Vector's folder has no version, and an installer looks for the one with the triple that it asked for.
        (
            "vector-0.42.0-x86_64-linux-musl",
            "vector-x86_64-linux-musl",
            "vector-0.42.0-x86_64-linux-gnu",
            "vector-x86_64-linux-gnu",
        ),
        (
            "vector-0.42.0-x86_64-linux-musl",
            "vector-x86_64-linux-musl",
            "vector-x86_64-linux-gnu",
            "vector-x86_64-linux-gnu",
        ),
        ("helm-v3.18.0-linux-amd64", "linux-amd64", "helm-v3.18.0-linux-x86_64", "linux-x86_64"),
        ("tool_1.2_linux_x64_musl", "tool_linux_x64_musl.d", "tool_1.2_linux_x64", "tool_linux_x64.d"),
        (
            "tool-1.2-universal-apple-darwin",
            "tool-universal-apple-darwin",
            "tool-1.2-arm64-apple-darwin",
            "tool-arm64-apple-darwin",
        ),
        # A platform that is not the asset's is none of its name, and an alias without one says nothing of it.
        ("tool-1.2-x86_64-linux-musl", "tool-i686-linux-musl", "tool-1.2-x86_64-linux-gnu", "tool-i686-linux-musl"),
        ("tool-1.2-x86_64-linux-musl", "tool-x86_64-linux-musl", "tool-1.2-portable", "tool-x86_64-linux-musl"),
        (
            "tool-1.2-x86_64-linux-musl",
            "tool-x86_64-linux-musleum",
            "tool-1.2-x86_64-linux-gnu",
            "tool-x86_64-linux-musleum",
        ),
    ],
)
def test_folder_that_repeats_only_the_platform_follows_the_name(
    tmp_path: Path, asset: str, before: str, alias: str, after: str
) -> None:
    path = write(tmp_path, f"{asset}.tar.gz", made.file(f"{before}/tool", b"program", 0o755))
    with tarfile.open(fileobj=io.BytesIO(become(path, f"{alias}.tar.gz"))) as archive:
        assert [one.name for one in archive.getmembers() if one.isfile()] == [f"{after}/tool"]


@pytest.mark.parametrize("folders", [(MUSL, GNU), (f"t-{MUSL}", f"t-{GNU}")])
def test_folder_that_would_become_another_that_is_there_is_refused(tmp_path: Path, folders: tuple[str, str]) -> None:
    files = [made.file(f"{folder}/uv", folder.encode(), 0o755) for folder in folders]
    path = write(tmp_path, f"{MUSL}.tar.gz", *files)
    with pytest.raises(ReleaseError, match="two names inside of it would become one"):
        become(path, f"{GNU}.tar.gz")


def test_platform_further_down_is_a_name_of_the_programs_own(tmp_path: Path) -> None:
    inside = "lib/rustlib/x86_64-unknown-linux-musl/std.rlib"
    path = write(
        tmp_path,
        "rust-1.90-x86_64-unknown-linux-musl.tar.gz",
        made.file(f"rust-x86_64-unknown-linux-musl/{inside}", b"x"),
    )
    with tarfile.open(fileobj=io.BytesIO(become(path, "rust-1.90-x86_64-unknown-linux-gnu.tar.gz"))) as archive:
        assert archive.getnames()[-1] == f"rust-x86_64-unknown-linux-gnu/{inside}"


def test_a_name_that_only_begins_so_stays(tmp_path: Path) -> None:
    path = write(tmp_path, f"{MUSL}.tar.gz", made.file(f"{MUSL}/{MUSL}eum", b"x"))
    with tarfile.open(fileobj=io.BytesIO(become(path, f"{GNU}.tar.gz"))) as archive:
        assert archive.getnames() == [GNU, f"{GNU}/{MUSL}eum"]


def test_what_cannot_be_written_the_same_everywhere_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, f"{MUSL}.tar.bz2", made.file(f"{MUSL}/uv", b"program", 0o755))
    with pytest.raises(ReleaseError, match="cannot be renamed") as caught:
        become(path, f"{GNU}.tar.bz2")
    assert "leave the alias" in str(caught.value.fix)


def test_folder_in_a_zip_file_follows_the_name_and_files_stay_as_they_are(tmp_path: Path) -> None:
    path = write(tmp_path, f"{MUSL}.zip", *OF_ZIP)
    before = tree(unpacked(tmp_path, "before.zip", path.read_bytes()) / MUSL)
    place = unpacked(tmp_path, "after.zip", become(path, f"{GNU}.zip"))
    assert [one.name for one in place.iterdir()] == [GNU]
    assert (place / GNU / "empty").is_dir()
    assert tree(place / GNU) == before
    assert hashlib.sha256(become(path, f"{GNU}.zip")).hexdigest() == SHA256_OF_ZIP


def test_unzip_takes_a_renamed_zip_file_without_a_word(tmp_path: Path) -> None:
    program = shutil.which("unzip")
    if program is None:
        pytest.skip("needs the program unzip")
    path = write(tmp_path, f"{MUSL}.zip", *OF_ZIP)
    (tmp_path / "made.zip").write_bytes(become(path, f"{GNU}.zip"))
    done = subprocess.run([program, "-q", "made.zip"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == ""
    assert (tmp_path / GNU / "bin/uvx").read_bytes() == b"program" * 100_000
    assert (tmp_path / GNU / "uv").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / GNU / "doc/LIESMICH-ä.md").read_bytes() == b""


@pytest.mark.parametrize(
    ("sizes", "paths", "is_small"), [((1,), ("a",), True), ((2**32 - 50,), ("a",), False), ((), ("a",) * 65535, False)]
)
def test_what_takes_more_than_the_plain_format_of_zip_is_told(
    sizes: tuple[int, ...], paths: tuple[str, ...], is_small: bool
) -> None:
    assert zip_writer.fits(sizes, paths) is is_small


def test_zip_file_that_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zip_writer, "MOST_BYTES", 1000)
    with pytest.raises(ReleaseError, match="too large to be renamed"):
        become(write(tmp_path, f"{MUSL}.zip", made.file(f"{MUSL}/uv", bytes(1001))), f"{GNU}.zip")


@pytest.mark.parametrize("name", ["..tar.gz", "...tar.gz"])
def test_name_that_would_lead_out_of_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, f"{MUSL}.tar.gz", *FILES)
    with pytest.raises(ReleaseError, match="would lead elsewhere"):
        become(path, name)


def test_archive_that_unpacks_to_more_than_is_locked_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, f"{MUSL}.tar.gz", made.file(f"{MUSL}/uv", bytes(1001)))
    with pytest.raises(ReleaseError, match="unpacks to more than it may"):
        list(renamed(path, path.name, f"{GNU}.tar.gz", 1000))


def test_hostile_archive_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, f"{MUSL}.tar.gz", made.file(f"{MUSL}/../../uv", b"program", 0o755))
    with pytest.raises(ReleaseError, match="leads outside"):
        become(path, f"{GNU}.tar.gz")


@pytest.mark.parametrize(
    ("path", "link"),
    [("a" * 100, ""), ("a" * 101, ""), ("d/" * 300 + "ä" * 50, ""), ("l", "t" * 100), ("l", "t" * 200)],
)
def test_long_names_are_read_as_they_were_written(path: str, link: str) -> None:
    kind = tar_writer.SYMLINK if link else tar_writer.FILE
    size = 0 if link else 3
    chunks = [tar_writer.header(kind, path, size=size, link=link)]
    chunks += [] if link else [b"abc", tar_writer.padding(3)]
    with tarfile.open(fileobj=io.BytesIO(b"".join(tar_writer.end(chunks)))) as archive:
        [member] = archive.getmembers()
    assert (member.name, member.linkname, member.size) == (path, link, size)


def test_size_beyond_the_octal_field_is_in_an_extended_header() -> None:
    size = 8**11 + 5
    [member] = read_headers(tar_writer.header(tar_writer.FILE, "large", size=size))
    assert member.size == size


def read_headers(text: bytes) -> list[tarfile.TarInfo]:
    found: list[tarfile.TarInfo] = []
    with tarfile.open(fileobj=io.BytesIO(text), mode="r|") as archive:
        member = archive.next()
        if member:
            found.append(member)
    return found
