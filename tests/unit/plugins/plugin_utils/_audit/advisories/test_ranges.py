# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A version is affected where the evaluation of the OSV schema says so, and what cannot be told is never left out."""

from __future__ import annotations

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.package import package, repository
from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories.ranges import Verdict, verdict
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.osv import affected, from_git, read_affected
from hypothesis import given
from hypothesis import strategies as st

CURL = "https://github.com/curl/curl"


def outcome(timeline: str, version: str, ecosystem: str = "npm", versions: tuple[str, ...] = ()) -> str:
    return told(timeline, version, ecosystem, versions).outcome


def told(timeline: str, version: str, ecosystem: str = "npm", versions: tuple[str, ...] = ()) -> Verdict:
    parts = read_affected(affected(ecosystem, "x", timeline, versions))
    return verdict(parts, package(ecosystem, "x"), version)


def by_tags(tag: str, *tags: str, timeline: str = "introduced 0 fixed abc", repo: str = CURL) -> Verdict:
    return verdict(read_affected(from_git(repo, tags, timeline)), repository(CURL), tag)


TWO = "introduced 1.14.0 fixed 1.14.12 introduced 1.15.0-0 fixed 1.15.5"
#: Timeline and version → whether it is affected; cases of the schema, and those at the edges.
EVALUATED = [
    ("introduced 0", "0.0.1", True),
    ("introduced 0", "999.0.0", True),
    ("introduced 0 fixed 1.0.2", "1.0.1", True),
    ("introduced 0 fixed 1.0.2", "1.0.2-rc.1", True),
    ("introduced 0 fixed 1.0.2", "1.0.2", False),
    ("introduced 1.0.0 fixed 1.0.2", "1.0.0", True),
    ("introduced 1.0.0 fixed 1.0.2", "1.0.0-rc.1", False),
    ("introduced 0 last_affected 2.1.214", "2.1.214", True),
    ("introduced 0 last_affected 2.1.214", "2.1.215", False),
    (TWO, "1.13.9", False),
    (TWO, "1.14.11", True),
    (TWO, "1.14.12", False),
    (TWO, "1.15.0-rc.1", True),
    (TWO, "1.15.5", False),
    ("fixed 1.15.5 introduced 1.15.0 fixed 1.14.12 introduced 1.14.0", "1.14.3", True),
    ("introduced 0 limit 2.0.0", "1.9.9", True),
    ("introduced 0 limit 2.0.0", "2.0.0", False),
    ("introduced 0 limit 2.0.0 limit *", "3.0.0", True),
    ("introduced 0 limit 1.0.0 limit 2.0.0", "1.5.0", True),
    ("introduced 0 fixed 1.0.0 introduced 1.0.0", "1.0.0", True),
]


@pytest.mark.parametrize(("timeline", "version", "is_affected"), EVALUATED)
def test_a_range_is_evaluated_as_the_schema_says(timeline: str, version: str, is_affected: bool) -> None:
    assert outcome(timeline, version) == ("affected" if is_affected else "not_affected")


def test_the_next_fixed_version_is_told() -> None:
    assert told(TWO, "1.14.3").fixed_in == ("1.14.12",)
    assert told(TWO, "1.15.1").fixed_in == ("1.15.5",)
    assert told("introduced 0 last_affected 2.0.0", "1.0.0").fixed_in == ()


def test_ranges_of_pypi_are_in_the_order_of_pep_440() -> None:
    assert outcome("introduced 0 fixed 2!1.0", "1!9.0", "PyPI") == "affected"
    assert outcome("introduced 0 fixed 1.0", "1.0rc1", "PyPI") == "affected"
    assert outcome("introduced 0 fixed 1.0", "1.0.post1", "PyPI") == "not_affected"


def test_a_listed_version_is_affected_whatever_the_ranges_say() -> None:
    assert outcome("introduced 0 fixed 1.0.0", "1.5.0", versions=("1.5.0",)) == "affected"
    assert outcome("", "1.5.0", versions=("1.5.0",)) == "affected"
    assert outcome("", "v1.5.0", "Go", versions=("1.5.0",)) == "affected"
    assert outcome("", "1.0", "PyPI", versions=("1.0.0",)) == "affected"


def test_a_version_that_is_not_listed_is_not_affected_where_nothing_else_is_said() -> None:
    assert outcome("", "1.5.1", versions=("1.5.0",)) == "not_affected"


@pytest.mark.parametrize(
    ("timeline", "version", "reason"),
    [
        ("introduced 0 fixed 1.0.0", "2024.01.05", '"2024.01.05" has no place in the order of npm'),
        ("introduced 0 fixed unknown", "1.0.0", '"unknown" has no place in the order of npm'),
        ("fixed 1.0.0", "0.5.0", "without a beginning"),
        ("introduced 0 fixed 1.0.0", "", "the version is not known"),
        ("", "1.0.0", "names no versions"),
    ],
)
def test_what_cannot_be_compared_is_told_with_the_reason(timeline: str, version: str, reason: str) -> None:
    found = told(timeline, version)
    assert found.outcome == "cannot_compare"
    assert reason in found.reason


def test_a_range_of_a_kind_that_is_not_known_cannot_be_compared() -> None:
    part = {"package": {"ecosystem": "npm", "name": "x"}, "ranges": [{"type": "NEW", "events": [{"introduced": "0"}]}]}
    assert verdict(read_affected(part), package("npm", "x"), "1.0.0").outcome == "cannot_compare"


def test_only_commits_of_a_package_cannot_be_compared() -> None:
    part = from_git(CURL) | {"package": {"ecosystem": "npm", "name": "x"}}
    found = verdict(read_affected(part), package("npm", "x"), "1.0.0")
    assert (found.outcome, found.reason) == ("cannot_compare", "the advisory names no versions, only commits")


def test_one_part_that_says_affected_is_enough() -> None:
    parts = read_affected(affected("npm", "x", "introduced 5.0.0"), affected("npm", "x", "introduced 0 fixed 2.0.0"))
    assert verdict(parts, package("npm", "x"), "1.0.0").outcome == "affected"


def test_a_part_that_cannot_be_compared_is_not_outweighed_by_one_that_says_not_affected() -> None:
    parts = read_affected(affected("npm", "x", "introduced 5.0.0"), affected("npm", "x", "introduced ?"))
    assert verdict(parts, package("npm", "x"), "1.0.0").outcome == "cannot_compare"


def test_parts_about_other_packages_do_not_count() -> None:
    parts = read_affected(affected("npm", "y", "introduced 0"), affected("PyPI", "x", "introduced 0"))
    assert verdict(parts, package("npm", "x"), "1.0.0").outcome == "not_affected"


def test_several_keys_in_one_event_all_count() -> None:
    part = affected("npm", "x")
    part["ranges"] = [{"type": "SEMVER", "events": [{"introduced": "0", "fixed": "1.0.0"}]}]
    assert verdict(read_affected(part), package("npm", "x"), "0.9.0").outcome == "affected"
    assert verdict(read_affected(part), package("npm", "x"), "1.0.0").outcome == "not_affected"


def test_a_release_of_a_repository_is_looked_up_by_its_tag() -> None:
    assert by_tags("curl-8_5_0", "curl-8_4_0", "curl-8_5_0").outcome == "affected"
    assert by_tags("curl-8_6_0", "curl-8_4_0", "curl-8_5_0").outcome == "not_affected"
    assert by_tags("v1.2.3", "1.2.3").outcome == "affected"


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (by_tags("v1.0"), "names commits, and no tags"),
        (by_tags("8.5.0", "curl-8_5_0"), "no tags of the form"),
        (by_tags("v2.0", "v1.0", timeline="introduced 0"), "names no fix"),
        (by_tags("", "v1.0"), "not known"),
    ],
)
def test_tags_that_do_not_answer_the_question_cannot_be_compared(found: Verdict, reason: str) -> None:
    assert found.outcome == "cannot_compare"
    assert reason in found.reason


def test_tags_of_other_repositories_do_not_count() -> None:
    assert by_tags("v1.0", "v1.0", repo="https://github.com/other/curl").outcome == "not_affected"


numbers = st.tuples(*[st.integers(0, 3)] * 3)
timelines = st.lists(numbers, min_size=1, max_size=6, unique=True).map(sorted)


def dotted(number: tuple[int, ...]) -> str:
    return ".".join(map(str, number))


@given(timelines, numbers, st.sampled_from(["npm", "Go", "PyPI", "crates.io", "Bitnami"]), st.randoms())
def test_introduced_and_fixed_divide_all_versions(edges, version, ecosystem, random) -> None:
    """Whatever the order in which they stand, a version is affected if the last edge up to it introduces."""
    events = [f"{'fixed' if index % 2 else 'introduced'} {dotted(edge)}" for index, edge in enumerate(edges)]
    random.shuffle(events)
    is_affected = sum(edge <= version for edge in edges) % 2 == 1
    assert outcome(" ".join(events), dotted(version), ecosystem) == ("affected" if is_affected else "not_affected")


@given(timelines, numbers)
def test_a_fixed_version_that_is_told_is_not_affected(edges, version) -> None:
    timeline = " ".join(f"{'fixed' if index % 2 else 'introduced'} {dotted(edge)}" for index, edge in enumerate(edges))
    for fixed in told(timeline, dotted(version)).fixed_in:
        assert outcome(timeline, fixed) == "not_affected"


@given(st.text(max_size=20), st.text(max_size=20))
def test_no_text_in_the_place_of_a_version_is_taken_for_not_affected(event: str, version: str) -> None:
    """With a range that only begins, there is no version that is not affected, except before a beginning."""
    part = affected("npm", "x")
    part["ranges"] = [{"type": "SEMVER", "events": [{"introduced": "0"}]}]
    found = verdict(read_affected(part), package("npm", "x"), version)
    assert found.outcome in ("affected", "cannot_compare")
