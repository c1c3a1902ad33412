# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Of a program that looks for files beside itself, its bytes tell so; one that is alone is left alone."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._asset import alone
from ansible_collections.pinned.release.plugins.plugin_utils._asset.contents import Contents, Found
from ansible_collections.pinned.release.tests.unit.plugins.module_utils.made_archives import file
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils import tiny_programs

SH = b"#!/bin/sh\n"
NATIVE = tiny_programs.elf(runpath="$ORIGIN/../lib", needed=["libz.so.1"], interpreter=tiny_programs.GLIBC_X86_64)


#: Looks into an asset that holds the program, and other files by their paths.
Program = Callable[..., Found]


@pytest.fixture
def program(look: Callable[..., Contents]) -> Program:
    def read(content: bytes, *others: str) -> Found:
        found = look({"bin/hello": content, **{path: file(path, b"x") for path in others}})
        return next(one for one in found.programs if one.path == "bin/hello")

    return read


@pytest.mark.parametrize(
    ("content", "other", "words"),
    [
        (SH + b'exec java -jar "$(dirname "$0")/../lib/k.jar"\n', "lib/k.jar", 'dirname "$0'),
        (SH + b'. "${0%/*}/../lib/common.sh"\n', "lib/common.sh", "${0%"),
        (b'#!/bin/bash\n. "${BASH_SOURCE[0]}/x"\n', "lib/x", "BASH_SOURCE"),
        (b"#!/usr/bin/python3\nprint(__file__)\n", "lib/x.py", "__file__"),
        (
            b"#!/usr/bin/python3\nos.path.dirname(os.path.abspath(sys.argv[0]))\n",
            "x",
            "dirname(os.path.abspath(sys.argv[0]",
        ),
        (b'#!/usr/bin/perl\nuse FindBin;\nuse lib "$FindBin::Bin/../lib";\n', "lib/x.pm", "FindBin::Bin"),
        (b'#!/usr/bin/perl\nuse FindBin qw($Bin);\nuse lib "$Bin/../lib";\n', "lib/x.pm", "FindBin qw($Bin"),
        (b"#!/bin/zsh\n. ${0:h}/../lib/x\n", "lib/x", "${0:"),
        (SH + b'SELF="$0"\nhome=`dirname "$SELF"`/..\n', "lib/x", 'dirname "$SELF'),
        (SH + b'self=${0}\n. "${self%/*}/../lib/x"\n', "lib/x", "${self%"),
    ],
)
def test_script_that_needs_its_tree_is_told_and_wrapped(
    program: Program, content: bytes, other: str, words: str
) -> None:
    found = program(content, other)
    assert found.beside
    assert found.beside.words == words
    assert found.is_wrapped
    assert program(content).beside is None


def test_program_that_needs_its_libraries_is_told_and_not_wrapped(program: Program) -> None:
    found = program(NATIVE, "lib/libz.so.1")
    assert found.beside == alone.Sought("$ORIGIN", is_of_script=False, works_through_links=True)
    assert not found.is_wrapped
    assert program(NATIVE, "README").beside is None


@pytest.mark.parametrize(
    "content",
    [
        SH + b'echo "usage: $0 FILE"\n',
        SH + b'name=${0##*/} self=$0\ncd "$(dirname "$1")" && echo "usage: $self"\n',
        tiny_programs.elf(data=b"$ORIGINAL"),
    ],
)
def test_program_that_is_one_file_is_told_of_as_such(program: Program, content: bytes) -> None:
    assert program(content, "lib/libz.so.1").beside is None


@pytest.mark.parametrize(
    "content",
    [
        SH + b'. "$(dirname "$(readlink -f "$0")")/../lib/k.jar"\n',
        SH + b'here=$(dirname "$(realpath "$0")")\n',
        b"#!/usr/bin/python3\nhere = os.path.dirname(os.path.realpath(__file__))\n",
        b"#!/usr/bin/python3\nhere = Path(__file__).resolve().parent\n",
        b"#!/usr/bin/python3\nhere = os.path.dirname(os.path.realpath(sys.argv[0]))\n",
        b'#!/usr/bin/perl\nuse FindBin;\nuse lib "$FindBin::RealBin/../lib";\n',
        SH + b'self=$0\nwhile [ -h "$self" ]; do self=$(readlink "$self"); done\nhere=$(dirname "$self")\n',
    ],
)
def test_script_that_finds_itself_behind_a_link_is_linked(program: Program, content: bytes) -> None:
    assert not program(content, "lib/x").is_wrapped


@pytest.mark.parametrize("word", [b"@loader_path", b"@executable_path", b"@rpath", b"$ORIGIN", b"${ORIGIN}"])
@pytest.mark.parametrize("before", [0, (1 << 20) - 5, (1 << 20) - 1, 1 << 20])
def test_word_is_found_wherever_it_stands(word: bytes, before: int) -> None:
    found = alone.sought(io.BytesIO(b"\xcf\xfa\xed\xfe" + bytes(before) + word + b"/../lib\0" + bytes(1 << 20)))
    assert found
    assert found.words == word.decode()
