# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A record is read as its schema says, whatever else is in it, and one that does not keep to it is refused."""

from __future__ import annotations

import contextlib
import json

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.finding import Severity
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.package import package, repository
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.record import Event, Record, parse
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.osv import MODIFIED, affected, from_git, record
from hypothesis import given
from hypothesis import strategies as st

VECTOR = "CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H"


def read(document: object) -> Record:
    return parse(json.dumps(document).encode(), "X-1.json")


def test_all_that_findings_need_is_read() -> None:
    part = affected(
        "Bitnami", "vault", "introduced 0.10.4 fixed 1.20.0", severity=[{"type": "CVSS_V3", "score": VECTOR}]
    )
    more = {"aliases": ["CVE-2025-5999"], "summary": "Of one\n\tline", "database_specific": {"severity": "High"}}
    found = read(record("BIT-vault-2025-5999", part, **more))
    assert (found.id, found.aliases, found.summary) == ("BIT-vault-2025-5999", ("CVE-2025-5999",), "Of one line")
    assert (found.level, found.modified, found.is_withdrawn) == ("High", MODIFIED, False)
    [one] = found.affected
    assert one.severity == (Severity("CVSS_V3", VECTOR),)
    assert list(one.packages) == [package("Bitnami", "vault")]
    assert one.ranges[0].events == (Event("introduced", "0.10.4"), Event("fixed", "1.20.0"))


def test_a_record_is_found_by_package_and_by_each_repository() -> None:
    part = from_git("https://github.com/curl/curl.git") | {"package": {"ecosystem": "OSS-Fuzz", "name": "curl"}}
    [one] = read(record("OSV-2020-1", part)).affected
    assert list(one.packages) == [package("OSS-Fuzz", "curl"), repository("https://github.com/curl/curl")]


def test_what_is_told_beside_vulnerabilities_is_kept_apart() -> None:
    part = affected("crates.io", "tempdir", "introduced 0.0.0-0", database_specific={"informational": "unmaintained"})
    assert read(record("RUSTSEC-2018-0017", part)).affected[0].informational == "unmaintained"


def test_a_withdrawn_record_is_told() -> None:
    assert read(record("X-1", withdrawn="2026-01-01T00:00:00Z")).is_withdrawn


def test_fields_that_are_not_known_may_say_anything() -> None:
    assert read(record("X-1", details=[[[]]], references={"a": None}, credits=7, database_specific=[], aliases=None))


def test_text_of_a_record_is_short_and_does_not_steer_a_terminal() -> None:
    summary = read(record("X-1", summary="\x1b[2J" + "x" * 10_000)).summary
    assert len(summary) <= 300
    assert summary.isprintable()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe{}",
        b'{"id": "X-1", "id": "X-2", "modified": "x"}',
        b'{"id": "X-1"}',
        b'{"id": "../x", "modified": "x", "id2": "\x00"}',
        b'{"id": "<script>", "modified": "x"}',
        b'{"id": "X-1", "modified": "x", "affected": {}}',
        b'{"id": "X-1", "modified": "x", "affected": [{"package": "x"}]}',
        b'{"id": "X-1", "modified": "x", "affected": [{"package": {"name": "x"}}]}',
        b'{"id": "X-1", "modified": "x", "affected": [{"ranges": [{"events": []}]}]}',
        b'{"id": "X-1", "modified": "x", "affected": [{"ranges": [{"type": "SEMVER", "events": [{}]}]}]}',
        b'{"id": "X-1", "modified": "x", "affected": [{"versions": [1.0]}]}',
        b'{"id": "X-1", "modified": "x", "affected": ' + b"[" * 100_000,
    ],
)
def test_what_does_not_keep_to_the_schema_is_refused(content: bytes) -> None:
    with pytest.raises(ReleaseError):
        parse(content, "X-1.json")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(list(Record.__annotations__)), inner),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(["affected", "severity", "aliases", "database_specific"]), json_values))
def test_no_document_raises_anything_else(fields: dict[str, object]) -> None:
    with contextlib.suppress(ReleaseError):
        read(record("X-1") | fields)
