# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions of any scheme have one order: that of PEP 440 where it applies, else the one that people expect."""

from __future__ import annotations

import itertools

import packaging.version
import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._values.version import (
    is_newer,
    is_prerelease,
    move_of,
    names_prerelease,
    order_of,
)
from hypothesis import given, settings
from hypothesis import strategies as st

#: Real schemes, each from the oldest to the newest.
SCHEMES = {
    "numbers": "0.9 0.9.1 0.10 1.0 1.0.1 1.1 2 10",
    "PEP 440": "1.0.dev1 1.0a1 1.0a2.dev1 1.0a2 1.0b1 1.0rc1 1.0 1.0+ubuntu.1 1.0.post1.dev1 1.0.post1 1.1 1!0.1",
    "semantic": "1.0.0-alpha 1.0.0-alpha.1 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1.0.0-rc.1.2 1.0.0 1.2.3-rc.1 1.2.3",
    "Java 8": "8u92-b14 8u392-b07 8u392-b08 8u392-b08.1 8u402-b06 8u1000-b01",
    "Java 8, tags": "jdk8u92-b14 jdk8u392-b08 jdk8u402-b06 jdk-11.0.22+7 jdk-17.0.9+9 jdk-17.0.9+9.1 jdk-21.0.4+7",
    "Java": "11.0.22+7 17.0.9+9 17.0.9+9.1 17.0.9+10 21-ea+35 21.0.1+12 21.0.4+7-LTS 21.0.4+8-LTS",
    "dates": "2023.12.31 2024.1.9 2024.9.30 2024.10.1 2024.10.01.1 2025.1",
    "dates without dots": "20231231 20240101 20240107",
    "dates with dashes": "2023-12-31 2024-01-05 2024-01-15 2024-02-01 2024-10-01",
    "builds": "b999 b1234 b7798 b7799 b10000",
    "k3s": "v1.9.9+k3s1 v1.33.4-rc1+k3s1 v1.33.4-rc2+k3s1 v1.33.4+k3s1 v1.33.4+k3s2 v1.33.4+k3s10 v1.33.10+k3s1",
    "Ubuntu": "22.04 22.04.1 22.10 24.04 24.04.2",
    "Go pseudo-versions": "v0.0.0-20191109021931-daa7c04131f5 v0.0.0-20240102150405-0123456789ab v0.0.1 v1.2.3 "
    "v1.2.4-0.20191109021931-daa7c04131f5 v1.2.4-0.20240102150405-000000000000 v1.2.4-alpha v1.2.4-rc.1 "
    "v1.2.4-rc.1.0.20240102150405-daa7c04131f5 v1.2.4 v2.0.0-20191109021931-daa7c04131f5+incompatible "
    "v2.0.0+incompatible",
    "git describe": "1.2.3 1.2.3-4-g0123abc 1.2.3-14-gabc0123 1.2.4",
    "Go": "go1.9.7 go1.21rc2 go1.21rc3 go1.21.0 go1.21.5 go1.22",
    "OpenSSH": "9.6 9.6p1 9.6p2 9.7 9.7p1 10.0p1",
    "OpenSSL, after what PEP 440 takes for alpha, beta and rc": "1.0.2z 1.1.1 1.1.1d 1.1.1m 1.1.1q 1.1.1r 1.1.1s 3.0",
    "Maven": "5.0.0.M1 5.0.0.M2 5.0.0.CR1 5.0.0.CR2 5.0.0 5.0.0.Final 5.0.1.Alpha1 5.0.1.Final",
    "npm": "2.0.0-canary.20240101 2.0.0-canary.20240201 2.0.0-next.9-x 2.0.0-next.10-x 2.0.0-rc.0 2.0.0",
    "names of tools": "tool-1.9 tool-1.10-rc.1 tool-1.10 tool/v1.11 tool@1.12 release-v1.13 @scope/tool@1.14",
    "names with digits": "sqlite3-3.9 sqlite3-3.10 sqlite3-3.10.1 sqlite3-4",
    "words": "latest 0-x-x 0.0.1-x-x 1",
}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_real_scheme_is_ordered_as_its_publisher_counts(scheme):
    versions = SCHEMES[scheme].split()
    for older, newer in itertools.combinations(versions, 2):
        assert is_newer(newer, older), (older, newer)
        assert not is_newer(older, newer), (older, newer)


@pytest.mark.parametrize(
    "same", ["1.0 1 v1.0 V1.0.0 01.0", "1.0rc1 1.0-rc.1 1.0.RC1 v1.0c1 1.0-pre1", "1.0-1 1.0.post1 1.0-r1 1.0rev1"]
)
def test_spellings_that_pep_440_takes_for_one_version_are_one(same):
    assert len({order_of(version) for version in same.split()}) == 1


def test_an_upgrade_of_java_8_is_not_a_downgrade():
    assert is_newer("8u392-b08", "8u92-b14")


def test_a_version_of_ten_thousand_digits_has_its_place():
    assert is_newer("9" * 10_000, "9" * 9_999)
    assert is_newer("9" * 10_000 + "-x-x", "8" * 10_000 + "-x-x")


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        *(("1.0rc1", True), ("1.0.dev3", True), ("2.0.0-beta.1", True), ("2.0.0-canary.20240101", True)),
        *(("2.0.0-alpha.beta", True), ("1.2.3-M1", True), ("5.0.0.CR1", True), ("21-ea+35-x", True)),
        *(("1.0", False), ("1.0.post1", False), ("17.0.9+9", False), ("5.9-RELEASE", False)),
        *(("1.28.2+k3s1", False), ("8u392-b08", False), ("1.2.3-4-g0123abc", False), ("1.1.1m", False)),
        ("1.2.4-0.20191109021931-daa7c04131f5", True),
    ],
)
def test_a_version_before_the_release_is_recognised(version, expected):
    assert is_prerelease(version) is expected


@pytest.mark.parametrize(("label", "expected"), [("nightly", True), ("cli-beta", True), ("", False), ("rust", False)])
def test_a_label_before_the_release_is_recognised(label, expected):
    assert names_prerelease(label) is expected


NUMBERS = st.integers(0, 30)
RELEASES = st.lists(NUMBERS, min_size=1, max_size=3).map(lambda parts: ".".join(map(str, parts)))
#: A segment of a local version has only digits or only letters: of the others PEP 440 compares the text (see order_of).
LOCALS = st.lists(st.from_regex(r"\A[0-9]{1,2}\Z|\A[a-z]{1,2}\Z"), min_size=1, max_size=3).map(
    lambda parts: "+" + ".".join(parts)
)
PEP_440 = st.builds(
    "{}{}{}{}{}{}{}".format,
    st.sampled_from(["", "v", "0!", "1!"]),
    RELEASES,
    st.just("")
    | st.builds(
        "{}{}{}".format, st.sampled_from(["", "-", "."]), st.sampled_from("a b c rc alpha pre".split()), NUMBERS
    ),
    st.just("") | st.builds("{}{}".format, st.sampled_from(["-", ".post", "r", "-rev."]), NUMBERS),
    st.just("") | st.builds(".dev{}".format, NUMBERS),
    st.just("") | LOCALS,
    st.just(""),
)
PARTS = st.sampled_from(
    "1 2 08 1.0 . - _ + ! v u b m rc dev post p k3s alpha canary g0123abc -20240102150405-0123456789ab x é ²".split()
)
TEXTS = PEP_440 | st.lists(PARTS, max_size=6).map("".join) | st.text(max_size=6)
TEXTS = TEXTS | st.sampled_from([version for scheme in SCHEMES.values() for version in scheme.split()])


@given(PEP_440, PEP_440)
@settings(max_examples=1000)
def test_the_order_is_that_of_pep_440_where_it_applies(one, other):
    known, also_known = packaging.version.Version(one), packaging.version.Version(other)
    assert is_newer(one, other) == (known > also_known)
    assert (order_of(one) == order_of(other)) == (known == also_known)


@given(TEXTS, TEXTS, TEXTS)
@settings(max_examples=1000)
def test_the_order_is_total(one, other, third):
    assert (is_newer(one, other), order_of(one) == order_of(other), is_newer(other, one)).count(True) == 1
    oldest, middle, newest = sorted([one, other, third], key=order_of)
    assert not is_newer(oldest, middle)
    assert not is_newer(middle, newest)
    assert not is_newer(oldest, newest)


@given(st.text() | TEXTS)
def test_no_text_is_without_a_place(text):
    assert not is_newer(text, text)
    assert isinstance(is_prerelease(text), bool)


@pytest.mark.parametrize(
    ("before", "after", "move"),
    [
        ("1.2.3", "1.2.4", "patch"),
        ("1.2.3", "1.2.3.1", "patch"),
        ("1.2.3", "1.2.2", "patch"),
        ("1.2", "1.2.0", "patch"),
        ("1.2.0rc1", "1.2.0", "patch"),
        ("v1.2.3", "1.3", "minor"),
        ("0.9.30", "0.10.0", "minor"),
        ("0.0.9", "0.1", "minor"),
        ("1", "1.1", "minor"),
        ("1.9", "2.0", "major"),
        ("2026.1", "2027.1", "major"),
        ("0.9", "1.0", "major"),
        ("1.2", "1!1.2", "major"),
        ("8u92-b14", "8u392-b08", "patch"),
        ("nightly", "1.0", "major"),
        ("nightly", "nightly", "patch"),
    ],
)
def test_a_move_is_as_far_as_the_first_number_that_differs(before: str, after: str, move: str) -> None:
    assert [move_of(*way) for way in ((before, after), (after, before))] == [move, move]
