# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Receipts come from hosts: the ones that were written are read back, everything else is no receipt."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import Evidence, Proof
from ansible_collections.pinned.release.plugins.plugin_utils._values.identity import Identity
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import Executable
from ansible_collections.pinned.release.plugins.plugin_utils._values.receipt import Receipt, read_receipt
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils import schemas
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.receipts import RECEIPT
from hypothesis import given
from hypothesis import strategies as st

A, B = "a" * 64, "b" * 64


def written(**changes: Any) -> bytes:
    return json.dumps({**RECEIPT.to_json(), **changes}).encode()


@pytest.mark.parametrize(
    "receipt", [RECEIPT, replace(RECEIPT, installed=None, files={}), replace(RECEIPT, evidence=Evidence())]
)
def test_what_is_written_is_read_back(receipt: Receipt) -> None:
    assert read_receipt(json.dumps(receipt.to_json()).encode()) == receipt


def test_a_key_of_several_lines_is_read_back() -> None:
    """The public keys of cosign are PEM: a rollout must not refuse what was locked with one."""
    pem = "-----BEGIN PUBLIC KEY-----\nMFkwEwYH\n-----END PUBLIC KEY-----\n"
    proof = Proof("cosign", Identity.of(key=pem), "sha256:ab", "uv.tar.gz", A, "https://x/", (("signature", A),))
    receipt = replace(RECEIPT, evidence=Evidence((), (proof,)))
    assert read_receipt(json.dumps(receipt.to_json()).encode()) == receipt


@pytest.mark.parametrize(
    "changes",
    [
        *({"receipt_version": version} for version in (0, 2, True, 1.0, "1", None)),
        *({"tool": name} for name in ("../uv", "", "a b", 1)),
        *({"version": version} for version in ("", "1/2", None)),
        *({"reason": reason} for reason in ("a\nb", "\x1b[2J", "\u2028", "r" * 4097, "", ["x"])),
        *({"sha256": digest} for digest in (A.upper(), "", A[1:])),
        {"tree_sha256": None},
        {"lock_sha256": "x"},
        *({"bin_dir": folder} for folder in ("bin", "/opt/../bin", "/opt/a\nb", "/opt/a\u2028b", "/opt/\x9b2J", "")),
        {"source_url": "javascript:alert(1)"},
        {"source_url": "https://me:secret@example.org/"},
        {"source": ["github"]},
        {"source": {"github": 1}},
        {"evidence": {}},
        {"evidence": {"claims": [], "proofs": [{}]}},
        {"evidence": ["digest"]},
        {"evidence": [{"a": [[[[[[[]]]]]]]}]},
        *(
            {"evidence": {"claims": [{"algorithm": "sha256", "value": A, "origin": origin}], "proofs": []}}
            for origin in ("x" * 4097, "a\nb", "", ["x"])
        ),
        {"source": {"github": "x" * 4097}},
        {"source": {"x" * 4097: "github"}},
        {"executables": {}},
        {"executables": {"../uv": {"path": "uv", "sha256": A, "size": 1}}},
        {"executables": {"uv": {"path": "/bin/sh", "sha256": A, "size": 1}}},
        {"executables": {"uv": {"path": "uv", "sha256": A, "size": -1}}},
        {"executables": {"uv": {"path": "uv", "sha256": A}}},
        *({"files": {path: "uv-1/uv.1"}} for path in ("uv.1", "../uv.1", "/etc/uv", "bin/uv", "share/../uv", "")),
        *({"files": {"share/a": path}} for path in ("/etc/passwd", "../uv", "", 1)),
        {"files": {"share/a": "uv", "share/a/b": "uv"}},
        {"files": {}},
        {"files": ["share/a"]},
        {"installed": "yesterday"},
        {"newer": "x"},
    ],
)
def test_what_does_not_fit_is_no_receipt(changes: dict[str, Any]) -> None:
    assert read_receipt(written()) == RECEIPT
    assert read_receipt(written(**changes)) is None


@pytest.mark.parametrize("key", RECEIPT.to_json())
def test_every_key_but_the_time_the_files_and_the_kind_is_required(key: str) -> None:
    document = RECEIPT.to_json()
    del document[key]
    assert (read_receipt(json.dumps(document).encode()) is None) == (key not in ("installed", "files", "bin"))


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"null", b"[]", b"{", b"\xff", b"[" * 60_000, b'{"a":' * 10_000, b"[" * 900 + b"]" * 900),
        written().replace(b'"tool"', b'"tool": "uvx", "tool"'),
        written().replace(b'"uv-1/uv"', b"NaN"),
        written() + b" " * 65536,
        json.dumps("x" * 70_000).encode(),
    ],
)
def test_a_hostile_text_is_no_receipt(content: bytes) -> None:
    assert read_receipt(content) is None


def test_a_text_of_up_to_4096_characters_is_read() -> None:
    assert read_receipt(written(reason="r" * 4096)) == replace(RECEIPT, reason="r" * 4096)


def test_a_receipt_of_up_to_64_kib_is_read() -> None:
    assert read_receipt(written().ljust(65536)) == RECEIPT
    assert read_receipt(written().ljust(65537)) is None


@given(st.binary() | st.text().map(str.encode))
def test_no_bytes_raise(content: bytes) -> None:
    assert read_receipt(content) is None


JUNK = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just([]) | st.just({})


@given(st.data())
def test_a_changed_receipt_is_a_receipt_or_none(data: st.DataObject) -> None:
    changed = schemas.changed(data, RECEIPT.to_json(), JUNK, st.sampled_from(["x", "tool", "size", ""]))
    receipt = read_receipt(json.dumps(changed).encode())
    assert receipt is None or read_receipt(json.dumps(receipt.to_json()).encode()) == receipt


@pytest.mark.parametrize(
    "changes",
    [
        {"reason": "assuming\nmore"},
        {"reason": "r" * 4097},
        {"executables": {f"p{n}": Executable("x", A, 1) for n in range(1000)}},
    ],
)
def test_what_could_not_be_read_again_is_not_written(changes: dict[str, Any]) -> None:
    with pytest.raises(ReleaseError, match="receipt"):
        replace(RECEIPT, **changes).to_json()


@pytest.mark.parametrize(
    ("changes", "found", "fix"),
    [
        ({"bin_dir": "/home/m\udcfc/bin"}, r"/home/m\udcfc/bin", "choose a bin_dir whose path is text in UTF-8"),
        ({"reason": "r" * 4097}, "a text of more than 4096 characters", "None"),
        (
            {"executables": {f"p{number}": next(iter(RECEIPT.executables.values())) for number in range(1000)}},
            "which are more than 65536",
            "choose fewer programs",
        ),
    ],
)
def test_why_it_could_not_be_read_again_is_told_with_what_helps(changes: dict[str, Any], found: str, fix: str) -> None:
    with pytest.raises(ReleaseError) as raised:
        replace(RECEIPT, **changes).to_json()
    assert found in str(raised.value.found)
    assert str(raised.value.fix).startswith(fix)
