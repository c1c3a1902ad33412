# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file that a pattern of the manifest means is found in each asset, or the error says which there are."""

from __future__ import annotations

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.tree_listing import Unpacked, UnpackedFile
from ansible_collections.pinned.release.plugins.plugin_utils._asset.files import choose_files

PATHS = ("rg-1.0/rg", "rg-1.0/doc/rg.1", "rg-1.0/doc/rg-index.1", "rg-1.0/complete/_rg", "rg-1.0/complete/rg.bash")
MAN = "share/man/man1/rg.1"


def asset(*paths: str, links: dict[str, str] | None = None, digest: str | None = None) -> Unpacked:
    files = [UnpackedFile(path, digest or f"{index:064}", 1, False) for index, path in enumerate(paths)]
    return Unpacked(files, [], links or {})


@pytest.mark.parametrize("glob", ["rg-1.0/doc/rg.1", "*/doc/rg.1", "**/rg.1", "*/rg.1", "rg-*/doc/rg.1"])
def test_pattern_that_fits_one_file_is_that_file(glob: str) -> None:
    assert choose_files(asset(*PATHS), {MAN: glob}, "rg.tar.gz") == {MAN: "rg-1.0/doc/rg.1"}


def test_pattern_that_begins_with_any_folder_also_fits_the_top() -> None:
    assert choose_files(asset("rg", "rg.1"), {MAN: "*/rg.1"}, "rg.tar.gz") == {MAN: "rg.1"}


def test_equal_files_are_one() -> None:
    assert choose_files(asset("b/rg.1", "a/rg.1", digest="0" * 64), {MAN: "*/rg.1"}, "rg.tar.gz") == {MAN: "a/rg.1"}


def test_link_of_the_archive_counts_as_the_file_that_it_leads_to() -> None:
    unpacked = asset("rg-1.0/doc/ripgrep.1", links={"rg-1.0/man/rg.1": "../doc/ripgrep.1", "rg-1.0/man/all": "../doc"})
    assert choose_files(unpacked, {MAN: "*/rg.1"}, "rg.tar.gz") == {MAN: "rg-1.0/doc/ripgrep.1"}
    with pytest.raises(ReleaseError):
        choose_files(unpacked, {MAN: "*/all"}, "rg.tar.gz")


def test_pattern_that_fits_nothing_names_the_nearest_files() -> None:
    with pytest.raises(ReleaseError) as refused:
        choose_files(asset(*PATHS), {MAN: "*/man/rg.l"}, "rg.tar.gz")
    assert refused.value.what == "rg.tar.gz: */man/rg.l of the manifest's files fits no file"
    assert str(refused.value.found).startswith("rg-1.0/doc/rg.1")
    assert refused.value.fix == 'write files: {share/man/man1/rg.1: "*/doc/rg.1"}'


def test_pattern_that_fits_several_files_names_them() -> None:
    with pytest.raises(ReleaseError) as refused:
        choose_files(asset(*PATHS), {MAN: "*/doc/*"}, "rg.tar.gz")
    assert refused.value.what == "rg.tar.gz: */doc/* of the manifest's files fits several files"
    assert refused.value.found == "rg-1.0/doc/rg-index.1, rg-1.0/doc/rg.1"


def test_all_patterns_that_fit_nothing_are_told_at_once() -> None:
    wanted = {MAN: "doc/rg.1", "share/rg/rg": "rg-*/rg", "share/zsh/_rg": "_rg", "share/rg/x": "no/thing/at/all"}
    with pytest.raises(ReleaseError) as refused:
        choose_files(asset(*PATHS), wanted, "rg.tar.gz")
    assert refused.value.what == (
        "rg.tar.gz: doc/rg.1 of the manifest's files fits no file; _rg of the manifest's files fits no file; "
        "no/thing/at/all of the manifest's files fits no file"
    )
    assert "_rg: rg-1.0/complete/_rg" in str(refused.value.found)
    assert str(refused.value.found).endswith("no/thing/at/all: nothing like it")
    assert refused.value.fix == (
        'write files: {share/man/man1/rg.1: "*/doc/rg.1", share/rg/rg: "rg-*/rg", share/zsh/_rg: "*/complete/_rg", '
        "share/rg/x: <path>}"
    )


@pytest.mark.parametrize("other", ["rg-1.0/old/doc/rg.1", "doc/rg.1"])
def test_offered_pattern_fits_no_other_file(other: str) -> None:
    """The folder of all is left out only where there is one, and where nothing else would fit."""
    with pytest.raises(ReleaseError) as refused:
        choose_files(asset(*PATHS, other), {MAN: "rg-1.0/d*c/rg.l"}, "rg.tar.gz")
    assert refused.value.fix == f"write files: {{{MAN}: {sorted([other, 'rg-1.0/doc/rg.1'])[0]}}}"


def test_folder_is_no_file() -> None:
    with pytest.raises(ReleaseError, match="fits no file"):
        choose_files(asset(*PATHS), {"share/rg": "rg-1.0/doc"}, "rg.tar.gz")
