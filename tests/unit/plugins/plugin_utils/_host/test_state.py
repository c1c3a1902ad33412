# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host says of its files is held to its grammar, and put into words that name each difference."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._host.answer_lines import AnswerLines
from ansible_collections.pinned.release.plugins.plugin_utils._host.differences import (
    MOST_DAMAGE_SHOWN,
    MOST_DIFFERENCES_BYTES,
)
from ansible_collections.pinned.release.plugins.plugin_utils._host.finding import texts
from ansible_collections.pinned.release.plugins.plugin_utils._host.state import InstalledProgram, State
from ansible_collections.pinned.release.plugins.plugin_utils._host.state_lines import state_of
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.receipts import RECEIPT
from hypothesis import given
from hypothesis import strategies as st

A, B = "a" * 64, "b" * 64


def told(*lines: str) -> State:
    return state_of(AnswerLines(["root /opt/p", "bin_dir /usr/local/bin", *lines]))


def damage(*differences: str) -> tuple[str, ...]:
    text = "\n".join(differences).encode()[:MOST_DIFFERENCES_BYTES]
    lines = ("receipt uv 1-a -", f"verified uv 1-a hash {A}", f"differs uv 1-a {text.hex()}")
    return texts(told(*lines).described["uv", "1-a"].damage)


@pytest.mark.parametrize(
    ("differences", "words"),
    [
        ([f"{B}  libexec/lib.so", f"\t{A}  libexec/lib.so"], "libexec/lib.so is changed"),
        (["\t81a4 libexec/lib.so", f"\t{A}  libexec/lib.so"], "libexec/lib.so is missing"),
        (
            ["a1ff libexec/lib.so", "libexec/lib.so -> /tmp/x", "\t81a4 libexec/lib.so", f"\t{A}  libexec/lib.so"],
            "libexec/lib.so is changed",
        ),
        (["a1ff libexec/a b -> c", "libexec/a b -> c -> /etc"], "libexec/a b was added"),
        (["11a4 libexec/pipe"], "libexec/pipe was added"),
        (["41ed libexec/more"], "libexec/more was added"),
        (["89ed libexec/uv", "\t81ed libexec/uv"], "libexec/uv has mode 4755"),
        (["81ff libexec/uv", "\t81ed libexec/uv"], "libexec/uv has mode 0777"),
        (["41ff libexec", "\t41ed libexec"], "libexec has mode 0777"),
        (["81ed 1000 1000 libexec/uv", "\t81ed libexec/uv"], "libexec/uv belongs to another user or group (1000:1000)"),
        (["81ed - 1000 libexec/uv", "\t81ed libexec/uv"], "libexec/uv belongs to another group (1000)"),
        (["acl libexec/uv"], "libexec/uv has an access control list, which was not ordered"),
        (["./more"], "more was added"),
        (["bin/uv -> /tmp/x", "\tbin/uv -> ../libexec/uv"], "bin/uv is changed"),
    ],
)
def test_each_difference_is_told_once_and_in_words(differences: list[str], words: str) -> None:
    assert damage(*differences) == (words,)


@pytest.mark.parametrize(
    ("line", "path", "text"),
    [
        ("capability libexec/uv cap_net_raw=ep", "libexec/uv", "cap_net_raw=ep"),
        ("capability libexec/uv = cap_net_raw+ep", "libexec/uv", "cap_net_raw=ep"),
        ("capability libexec/a b cap_setuid,cap_chown=ep cap_net_raw+i", "libexec/a b", None),
        ("capability libexec/uv 0x0100000200200000000000000000000000000000", "libexec/uv", "cap_net_raw=ep"),
        ("capability libexec/uv 0x00", "libexec/uv", "0x00"),
        ("capability libexec/uv =ep", "libexec/uv", "=ep"),
        ("capability libexec/uv", "libexec/uv", "unknown"),
    ],
)
def test_capabilities_are_told_beside_the_damage_and_none_is_lost(line: str, path: str, text: str | None) -> None:
    lines = ("receipt uv 1-a -", f"verified uv 1-a hash {A}", f"differs uv 1-a {line.encode().hex()}")
    tree = told(*lines).described["uv", "1-a"]
    assert tree.damage == ()
    assert tree.capabilities == {path: text or "cap_setuid,cap_chown=ep cap_net_raw+i"}


def test_many_differences_are_cut_and_said_to_be() -> None:
    told_of = damage(*(f"81a4 libexec/{number}" for number in range(5000)))
    assert len(told_of) == MOST_DAMAGE_SHOWN + 1
    assert told_of[-1] == "and more"


@pytest.mark.parametrize(
    "name", ["../x", "/etc/passwd", "bin/uv", "a//b", "a/.b", "a/../b", "", ".hidden", "x\x1b[2J", "-rf", "a" * 200]
)
def test_names_that_no_tool_tree_or_program_can_have_are_not_heard(name: str) -> None:
    lines = (f"active {name} 1-a", f"active uv {name}", f"tree {name} 1-a", f"tree uv {name}", f"link {name} /x")
    state = told(
        *lines,
        f"foreign {name}",
        f"closed {name} /x",
        f"astray {name}",
        f"receipt uv {name} 00",
        f"receipt {name} 1-a 00",
    )
    assert state == State("/opt/p", "/usr/local/bin")


def test_receipts_are_told_by_their_sizes_then_byte_by_byte() -> None:
    first, second = (replace(RECEIPT, tool=tool) for tool in ("uv", "ruff"))
    texts = [json.dumps(receipt.to_json()).encode() for receipt in (first, second)]
    sizes = ("receipt none 1-a -", f"receipt uv 1-a {len(texts[0])}", f"receipt ruff 1-a {len(texts[1])}")
    described = told(*sizes, f"receipts {b''.join(texts).hex()}").described
    assert [tree.receipt for tree in described.values()] == [None, first, second]


@pytest.mark.parametrize("size", ["-1", "99999999999", "0", "x", "1" * 5000])
def test_a_receipt_of_another_size_than_it_has_is_no_receipt(size: str) -> None:
    text = json.dumps(RECEIPT.to_json()).encode().hex()
    assert (
        told("receipt other 1-a 1", f"receipt uv 1-a {size}", f"receipts {text}").described["uv", "1-a"].receipt is None
    )


def test_links_are_told_byte_by_byte() -> None:
    state = told("link uv %2f780a", "link uvx /opt/p/current/uv/bin/uvx", "link odd %zz")
    assert state.links == {"uv": "/x\n", "uvx": "/opt/p/current/uv/bin/uvx", "odd": ""}
    assert state.links_by_tool == {"uv": ("uvx",)}


def test_links_to_other_files_are_told_by_their_paths() -> None:
    lines = ("link share/a /opt/p/current/uv/files/share/a", "foreign share/b", "closed share/c /usr/local/share")
    state = told(*lines, "link_elsewhere uv share/a /x", "elsewhere uv /home/me/bin")
    assert state.links_by_tool == {"uv": ("share/a",)}
    assert (state.foreign, state.closed) == ({"share/b"}, {"share/c": "/usr/local/share"})
    assert state.place_of("share/a") == "/usr/local/share/a"
    assert state.has_link("uv", "share/a")
    assert state.where_linked("uv").place_of("share/a") == "/home/me/share/a"
    assert state.where_linked("uv").links == {"share/a": "/x"}


def test_programs_have_the_mode_owner_and_group_of_what_they_lead_to() -> None:
    state = told("receipt uv 1-a -", "program uv 1-a uv 81ed 0 1000", "program uv 1-a uvx mode 0 0")
    assert state.described["uv", "1-a"].programs == {"uv": InstalledProgram(0o755, 0, 1000)}


def test_a_tree_that_nobody_looked_into_is_not_verified() -> None:
    tree = told("receipt uv 1-a -").described["uv", "1-a"]
    assert (tree.verified_by, tree.listing, tree.receipt) == ("", "", None)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("untrusted owner /srv/x 1000 1000", "/srv/x belongs to another user \\(1000\\)"),
        ("untrusted group %2f73 0 50", "/s can be written by the group 50"),
        ("untrusted others /tmp 0 0", "/tmp can be written by everyone"),
        ("untrusted kind /x - -", "/x is no folder"),
        ("lacks stat", "no command stat"),
    ],
)
def test_a_host_that_cannot_be_trusted_is_an_error_that_names_the_place(line: str, what: str) -> None:
    with pytest.raises(ReleaseError, match=what):
        told(line)


@given(st.binary(max_size=300))
def test_whatever_differs_nothing_else_is_raised(differences: bytes) -> None:
    lines = ("receipt uv 1-a -", f"verified uv 1-a hash {A}", f"differs uv 1-a {differences.hex()}")
    assert all(finding.text for finding in told(*lines).described["uv", "1-a"].damage)


@given(st.text(alphabet="e=p+i-, c_a0xb", max_size=2000))
def test_whatever_is_said_of_capabilities_is_read_in_bounded_time(said: str) -> None:
    differences = f"capability libexec/uv {said}".encode().hex()
    lines = ("receipt uv 1-a -", f"verified uv 1-a hash {A}", f"differs uv 1-a {differences}")
    assert told(*lines).described["uv", "1-a"].capabilities
