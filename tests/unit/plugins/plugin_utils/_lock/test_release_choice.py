# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The newest release that may be taken is; of the others it is said why not, and what would change that."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._lock import manifest
from ansible_collections.pinned.release.plugins.plugin_utils._lock.release_choice import (
    choose_release,
    described,
    family_note,
    missing_notes,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Release

NOW = datetime(2026, 1, 31, tzinfo=timezone.utc)


def release(version: str, days_old: float = 30, is_prerelease: bool = False, is_yanked: bool = False) -> Release:
    return Release(version, (), NOW - timedelta(days=days_old), is_prerelease, is_yanked)


def chosen(version: str, *releases: Release, age: str = "0d", pinned: str | None = None) -> str:
    text = f"""
        platforms: [linux/x86_64]
        policy: {{minimum_age: {age}}}
        tools: {{tool: {{source: {{pypi: tool}}, version: "{version}"}}}}
    """
    parsed = manifest.parse(text)
    return choose_release(
        parsed.tools["tool"], parsed.policy.minimum_age, "the index", releases, NOW, pinned=pinned
    ).version


def refusal(version: str, *releases: Release, age: str = "0d", pinned: str | None = None) -> ReleaseError:
    with pytest.raises(ReleaseError, match="no release of the index satisfies the manifest") as raised:
        chosen(version, *releases, age=age, pinned=pinned)
    return raised.value


def test_the_newest_in_range_is_taken_whatever_the_order() -> None:
    releases = [release("1.9"), release("2.0"), release("1.10")]
    assert chosen("<2", *releases) == "1.10"
    assert chosen("*", *reversed(releases)) == "2.0"
    assert chosen("1.9", *releases) == "1.9"


def test_what_is_newer_and_not_taken_is_told_to_whoever_debugs(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "pinned.release")
    assert chosen("1.*", release("1.0"), release("1.1", is_yanked=True)) == "1.0"
    assert caplog.messages[0].endswith(": 1.1 is not taken: withdrawn by its publisher")


def test_the_newest_is_taken_of_versions_that_pep_440_does_not_know() -> None:
    assert chosen("*", release("8u392-b08"), release("8u92-b14")) == "8u392-b08"
    assert chosen("*", release("2024-01-05"), release("2023-12-31"), release("2024-01-05-x")) == "2024-01-05-x"


def test_a_prerelease_is_taken_when_the_constraint_names_one_or_it_is_named() -> None:
    by_version, by_flag = release("2.0rc1", is_prerelease=True), release("3.0", is_prerelease=True)
    assert chosen("*", release("1.0"), by_version, by_flag) == "1.0"
    assert chosen(">=2.0rc1,<3", release("1.0"), by_version, by_flag) == "2.0rc1"
    assert chosen("3.0", by_version, by_flag) == "3.0"


def test_where_there_are_only_prereleases_the_error_says_how_to_take_one() -> None:
    error = refusal("*", release("0.0.1a8", is_prerelease=True), release("0.0.1a9", is_prerelease=True))
    assert error.found == "0.0.1a9, a pre-release; 0.0.1a8, a pre-release"
    assert error.fix == 'to use it anyway, name it in the manifest: version: "0.0.1a9"'
    assert chosen("0.0.1a9", release("0.0.1a9", is_prerelease=True)) == "0.0.1a9"
    assert refusal("0.*", release("0.2b1", is_prerelease=True)).found == "0.2b1, a pre-release"


def test_a_withdrawn_release_only_serves_who_names_it() -> None:
    releases = [release("1.0"), release("1.1", is_yanked=True)]
    assert chosen("1.*", *releases) == "1.0"
    assert chosen("1.1", *releases) == "1.1"
    assert chosen("==1.1.0", *releases) == "1.1"
    error = refusal(">1.0", *releases)
    assert error.found == "1.1, withdrawn by its publisher"
    assert error.fix == 'to use it anyway, name it in the manifest: version: "1.1"'


def partial(version: str) -> Release:
    return replace(release(version), is_partial=True, missing=(f"musl {version}", f"gnu {version}"))


def test_a_release_that_is_there_in_part_is_passed_over_and_told_of() -> None:
    releases = [partial("2.0"), release("1.0"), partial("0.9"), partial("2.1"), replace(partial("3.0"), is_yanked=True)]
    assert chosen("*", *releases) == "1.0"
    missing = "its publisher does not have musl 2.1, gnu 2.1, which the release names"
    assert missing_notes(releases[1], releases) == [f"2.1 is newer, but {missing}"]
    error = refusal("2.0", partial("2.0"))
    assert error.found == "2.0, of which its publisher does not have musl 2.0, gnu 2.0"


def test_what_a_release_lacks_is_told() -> None:
    lacking = replace(release("1.0"), missing=("musl 1.0",))
    assert chosen("*", lacking) == "1.0"
    assert missing_notes(lacking, [lacking]) == ["1.0: its publisher does not have musl 1.0, which the release names"]
    assert missing_notes(release("1.0"), [release("2.0")]) == []


def test_a_young_release_waits_and_the_error_says_until_when() -> None:
    releases = [release("1.0", days_old=10), release("1.1", days_old=1)]
    assert chosen("*", *releases, age="3d") == "1.0"
    assert chosen("*", release("1.1", days_old=3), age="3d") == "1.1"
    error = refusal("1.1", *releases, age="3d")
    assert error.expected == "version 1.1, at least 3 days old"
    assert error.found == "1.1, too young until 2026-02-02 00:00 UTC"
    assert "minimum_age" in str(error.fix)


def test_a_release_of_unknown_age_is_not_called_young() -> None:
    error = refusal("*", Release("1.0", ()), age="3d")
    assert error.found == "1.0, of unknown age"
    assert "does not tell when it was published" in str(error.fix)


def test_many_obstacles_are_counted() -> None:
    error = refusal("*", *(release(f"1.{number}", days_old=0) for number in range(9)), age="1w")
    assert error.found is not None
    assert error.found.startswith("1.8, too young until 2026-02-07 00:00 UTC; 1.7, ")
    assert error.found.endswith("; 4 older ones")


def test_out_of_range_the_nearest_versions_are_shown() -> None:
    releases = [release(version) for version in ("1.0", "1.2", "2.0")]
    assert refusal("1.3", *releases).found == "the nearest are 1.2, 1.0, 2.0"
    assert refusal("*").found == "no release at all"


def test_what_is_locked_is_taken_again_even_if_it_was_withdrawn() -> None:
    releases = [release("1.0", is_yanked=True), release("1.1rc1", is_prerelease=True), release("2.0")]
    assert chosen("*", *releases, pinned="1.0") == "1.0"
    assert chosen("*", *releases, pinned="1.1rc1") == "1.1rc1"


def test_an_asset_that_joined_what_is_locked_must_be_old_enough() -> None:
    assert "too young" in str(refusal("*", release("1.0", days_old=1), age="3d", pinned="1.0").found)


def test_a_locked_version_that_is_no_longer_published_is_named() -> None:
    error = refusal("*", release("2.0"), pinned="1.0")
    assert error.expected == "version 1.0, which is locked"
    assert error.found == "the nearest are 2.0"
    assert error.fix == "move to another version with upgrade: [tool]"


@pytest.mark.parametrize(
    ("time", "words"),
    [
        (timedelta(days=3), "3 days"),
        (timedelta(days=1), "1 day"),
        (timedelta(hours=36), "36 hours"),
        (timedelta(minutes=90), "90 minutes"),
        (timedelta(weeks=2), "14 days"),
    ],
)
def test_times_are_said_as_people_say_them(time: timedelta, words: str) -> None:
    assert described(time) == words


def note(version: str, taken: str, *releases: Release) -> str | None:
    text = f'{{platforms: [linux/x86_64], tools: {{tool: {{source: {{pypi: tool}}, version: "{version}"}}}}}}'
    return family_note(manifest.parse(text).tools["tool"], release(taken), releases)


@pytest.mark.parametrize("version", ["0.9", "==0.9", "v0.9"])
def test_one_version_with_newer_ones_below_it_is_told_with_the_line_for_those(version: str) -> None:
    assert note(version, "0.9", release("0.9"), release("0.9.30"), release("0.9.4"), release("0.10.1")) == (
        'locked as the manifest names it, version "0.9", though 0.9.30 is there; for the newest of that family, write '
        'into tools.tool: version: "0.9.*"'
    )


@pytest.mark.parametrize(
    ("version", "taken", "others"),
    [
        ("0.9", "0.9", ["0.90.1", "0.10.0", "1.0.9"]),
        ("0.9", "0.9", ["0.9.0"]),
        ("1.2.3", "1.2.3", ["1.2.3.post1", "1.2.3rc1", "1.2.30", "1.2.4"]),
        ("0.9.*", "0.9.30", ["0.9", "0.9.31"]),
        (">=0.9", "0.9", ["0.9.30"]),
        ("*", "0.9", ["0.9.30"]),
        ("8u92-b14", "8u92-b14", ["8u392-b08", "8u92-b14.1"]),
    ],
)
def test_where_no_newer_version_goes_on_from_the_named_one_nothing_is_told(
    version: str, taken: str, others: list[str]
) -> None:
    assert note(version, taken, release(taken), *map(release, others)) is None


def test_versions_that_a_family_would_not_give_are_not_told() -> None:
    early, withdrawn = release("0.9.31", is_prerelease=True), release("0.9.32", is_yanked=True)
    assert note("0.9", "0.9", release("0.9"), early, withdrawn) is None


def test_where_only_longer_versions_are_there_the_line_for_them_is_the_fix() -> None:
    error = refusal("0.9", release("0.9.4"), release("0.9.30"), release("0.10.1"))
    assert error.fix == 'for the newest of that family, write into tools.tool: version: "0.9.*"'
    assert "0.9.30" in str(error.found)
