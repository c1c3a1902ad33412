# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the listing of a tree says: written out by hand, and compared with what other programs say of real trees."""

import hashlib
import posixpath
import subprocess

import pytest
from ansible_collections.pinned.release.plugins.module_utils import tree_listing
from ansible_collections.pinned.release.plugins.module_utils.names import nested
from ansible_collections.pinned.release.plugins.module_utils.tree_listing import Unpacked, UnpackedFile
from hypothesis import given, settings
from hypothesis import strategies as st

A, B = "a" * 64, "b" * 64


def a_file(path, sha256=A, is_executable=False):
    return UnpackedFile(path, sha256, 1, is_executable)


def test_each_kind_of_entry_has_its_lines_sorted_as_bytes():
    unpacked = Unpacked(
        [a_file("uv-1/uv", B, True), a_file("uv-1/README"), a_file("uv-1/Über")],
        ["uv-1", "uv-1/empty"],
        {"uv-1/latest": "uv", "uv-1/empty/up": "../README"},
    )
    assert b"".join(tree_listing.listing(unpacked, {"uv": "uv-1/uv"})).decode("utf-8") == "".join(
        line + "\n"
        for line in [
            "41ed bin",
            "41ed libexec",
            "41ed libexec/uv-1",
            "41ed libexec/uv-1/empty",
            "81a4 libexec/uv-1/README",
            "81a4 libexec/uv-1/Über",
            "81ed libexec/uv-1/uv",
            "a1ff bin/uv",
            "a1ff libexec/uv-1/empty/up",
            "a1ff libexec/uv-1/latest",
            "a1ff tree",
            A + "  libexec/uv-1/README",
            A + "  libexec/uv-1/Über",
            B + "  libexec/uv-1/uv",
            "bin/uv -> ../libexec/uv-1/uv",
            "libexec/uv-1/empty/up -> ../README",
            "libexec/uv-1/latest -> uv",
            "tree -> libexec/uv-1",
        ]
    )


def test_a_linked_program_is_one_even_where_the_archive_does_not_say_so():
    unpacked = Unpacked([a_file("uv"), a_file("other")], [], {})
    lines = list(tree_listing.listing(unpacked, {"uv": "uv"}))
    assert b"81ed libexec/uv\n" in lines
    assert b"81a4 libexec/other\n" in lines


def test_the_digest_is_that_of_all_lines_together():
    lines = [b"41ed bin\n", b"41ed libexec\n"]
    assert tree_listing.digest(lines) == hashlib.sha256(b"41ed bin\n41ed libexec\n").hexdigest()


@pytest.mark.parametrize(
    ("path", "target", "text"),
    [
        ("a", "b", "b"),
        ("a/b", "c", "../c"),
        ("a/b", "a/c", "c"),
        ("a/b/c", "a", ".."),
        ("a/b", "a", "."),
        ("a/b", ".", ".."),
        ("a", ".", "."),
    ],
)
def test_the_text_of_a_link_leads_to_its_target(path, target, text):
    assert posixpath.normpath(posixpath.join(posixpath.dirname(path), text)) == target
    assert posixpath.normpath(tree_listing.link_text(path, target)) == posixpath.normpath(text)


PATHS = st.lists(
    st.text(
        st.characters(blacklist_categories=("Cc", "Cs"), blacklist_characters="/\\\u2028\u2029"), min_size=1, max_size=6
    ),
    min_size=1,
    max_size=3,
).map("/".join)


NAMES = st.from_regex(r"[a-z][a-z.+-]{0,3}", fullmatch=True)
FILES = st.builds(a_file, PATHS, st.sampled_from([A, B]), st.booleans())
TREES = st.builds(
    Unpacked,
    st.lists(FILES, unique_by=lambda file: file.path, max_size=8),
    st.lists(PATHS, unique=True, max_size=4),
    st.dictionaries(PATHS, PATHS, max_size=4),
)


LINKED = st.dictionaries(
    st.lists(st.sampled_from(["a", "a.b", "a+", "b"]), min_size=2, max_size=4).map("/".join), PATHS, max_size=3
).filter(lambda linked: nested(linked) is None)


def test_other_linked_files_have_a_folder_of_their_own():
    unpacked = Unpacked([a_file("rg-1/rg", B, True), a_file("rg-1/doc/rg.1")], ["rg-1", "rg-1/doc"], {})
    lines = b"".join(tree_listing.listing(unpacked, {"rg": "rg-1/rg"}, {"share/man/rg.1": "rg-1/doc/rg.1"}))
    assert [line for line in lines.decode().splitlines() if "files" in line] == [
        "41ed files",
        "41ed files/share",
        "41ed files/share/man",
        "a1ff files/share/man/rg.1",
        "files/share/man/rg.1 -> ../../../libexec/rg-1/doc/rg.1",
    ]


@pytest.mark.parametrize(
    ("paths", "folder"),
    [
        (["uv-1/uv", "uv-1/doc/README"], "uv-1"),
        (["uv-1/uv", "README"], ""),
        (["uv-1/uv", "uv-2/uv"], ""),
        (["uv"], ""),
        (["bin/uv", "bin/uvx"], ""),
        (["sbin/uv"], ""),
        (["uv-1.data/scripts/uv"], ""),
        (["binaries/uv"], "binaries"),
        ([], ""),
    ],
)
def test_the_one_folder_that_everything_lies_in_is_left_out(paths, folder):
    assert tree_listing.top_folder(paths) == folder


@settings(max_examples=300)
@given(TREES, LINKED, st.dictionaries(NAMES, PATHS, max_size=3))
def test_all_lines_come_in_the_order_of_sort_in_the_c_locale(unpacked, linked, programs):
    lines = list(tree_listing.listing(unpacked, programs, linked))
    folders = len(tree_listing.folders_of(linked)) + 1 if linked else 0
    expected = 4 + len(unpacked.folders) + 2 * len(unpacked.files) + 2 * len(unpacked.links) + 2 * len(programs)
    expected += folders + 2 * len(linked)
    assert len(lines) == expected
    ended = subprocess.run(
        ["sort"],
        input=b"".join(reversed(lines)),
        env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        check=True,
    )
    assert ended.stdout == b"".join(lines)


@given(TREES, st.randoms(use_true_random=False))
def test_the_order_in_which_an_archive_has_its_members_changes_nothing(unpacked, random):
    files, folders, links = list(unpacked.files), list(unpacked.folders), list(unpacked.links.items())
    for part in (files, folders, links):
        random.shuffle(part)
    shuffled = Unpacked(files, folders, dict(links))
    assert list(tree_listing.listing(shuffled, {})) == list(tree_listing.listing(unpacked, {}))
