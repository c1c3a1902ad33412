# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a report are written all or none, only where they change, and keep the mode that somebody gave them."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._audit.report_folder import (
    ReportFile,
    refuse_no_folder,
    refuse_unwritable,
    staged,
    write,
)

FILES = (ReportFile("report.json", b"{}\n"), ReportFile("hosts/h1.json", b"[]\n"))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_files_are_written_once_and_then_left_alone(tmp_path: Path) -> None:
    dest = tmp_path / "new/reports"
    assert write(dest, FILES, is_check=False) == {dest / "report.json": True, dest / "hosts/h1.json": True}
    before = (dest / "report.json").stat()
    assert write(dest, FILES, is_check=False) == {dest / "report.json": False, dest / "hosts/h1.json": False}
    assert (dest / "report.json").stat() == before
    assert sorted(path.name for path in dest.rglob("*") if path.is_file()) == ["h1.json", "report.json"]
    assert (dest / "hosts/h1.json").read_bytes() == b"[]\n"


def test_check_mode_tells_and_writes_nothing(tmp_path: Path) -> None:
    assert all(write(tmp_path / "reports", FILES, is_check=True).values())
    assert not (tmp_path / "reports").exists()


def test_a_new_file_has_the_mode_of_the_umask_and_an_old_one_keeps_its(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write(tmp_path, FILES, is_check=False)
        assert mode(tmp_path / "report.json") == 0o640
        (tmp_path / "report.json").chmod(0o604)
        write(tmp_path, [ReportFile("report.json", b"new")], is_check=False)
    finally:
        os.umask(before)
    assert mode(tmp_path / "report.json") == 0o604


def test_a_link_in_the_place_of_a_file_is_replaced_and_not_followed(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("mine")
    (tmp_path / "report.json").symlink_to(other)
    write(tmp_path, FILES, is_check=False)
    assert (other.read_text(), (tmp_path / "report.json").is_symlink()) == ("mine", False)


def test_no_file_changes_where_one_cannot_be_made(tmp_path: Path) -> None:
    write(tmp_path, FILES, is_check=False)

    def failing() -> Iterator[ReportFile]:
        yield ReportFile("report.json", b"new")
        raise OSError(28, "No space left on device", str(tmp_path / "report.html"))

    with pytest.raises(ReleaseError, match=r"cannot write .*report\.html"):
        write(tmp_path, failing(), is_check=False)
    assert (tmp_path / "report.json").read_bytes() == b"{}\n"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("is_check", [True, False])
def test_a_folder_in_the_place_of_a_file_is_refused_with_what_to_do(tmp_path: Path, is_check: bool) -> None:
    (tmp_path / "report.json").mkdir()
    with pytest.raises(ReleaseError, match="option dest"):
        write(tmp_path, FILES, is_check=is_check)


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("")
    with pytest.raises(ReleaseError, match="option dest"):
        write(tmp_path / "reports", FILES, is_check=False)


def test_a_report_that_cannot_be_recorded_changes_no_file(tmp_path: Path) -> None:
    write(tmp_path, FILES, is_check=False)
    with pytest.raises(ReleaseError, match="no log"), staged(tmp_path, [ReportFile("report.json", b"new")], False):
        raise ReleaseError("no log")
    assert (tmp_path / "report.json").read_bytes() == b"{}\n"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    with staged(tmp_path, [ReportFile("report.json", b"new")], is_check=False) as files:
        assert (tmp_path / "report.json").read_bytes() == b"{}\n"
        files.put()
    assert (tmp_path / "report.json").read_bytes() == b"new"


def test_a_refusal_names_the_file_and_what_else_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(dir: Path, prefix: str) -> tuple[int, str]:
        raise PermissionError(13, "Permission denied", f"{dir}/{prefix}9u9ulplv")

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    with pytest.raises(ReleaseError) as caught:
        write(tmp_path, [ReportFile("x.json", b"{}")], is_check=False, elsewhere="name another file in the option to")
    assert caught.value.what == f"cannot write {tmp_path / 'x.json'}"
    assert str(caught.value.fix).endswith("or name another file in the option to")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="only Linux has a folder that nobody may write to")
def test_a_folder_that_cannot_be_made_is_named_with_the_one_that_cannot_be_written(tmp_path: Path) -> None:
    refuse_unwritable(tmp_path / "new" / "below")
    with pytest.raises(ReleaseError) as caught:
        refuse_unwritable(Path("/proc/self/nowhere/r"))
    assert caught.value.what == "cannot write the report to /proc/self/nowhere/r"
    assert caught.value.found == "no right to write in /proc/self"
    assert "option dest" in str(caught.value.fix)


def test_what_is_no_folder_is_told_before_the_log_is_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ReleaseError, match=r"cannot write the report to .*file") as caught:
        refuse_no_folder(tmp_path / "file")
    assert "option dest" in str(caught.value.fix)
    with pytest.raises(ReleaseError, match="cannot write the report"):
        refuse_no_folder(tmp_path / "file" / "below" / "it")
    refuse_no_folder(tmp_path / "new")
    refuse_no_folder(tmp_path / "new" / "below")
