# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is pinned satisfies its policy when it is locked, and on every rollout. Else it is refused with the reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._lock import lockfile, policy_check
from ansible_collections.pinned.release.plugins.plugin_utils._lock.resolve import Resolution
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import Claim, Evidence, Proof
from ansible_collections.pinned.release.plugins.plugin_utils._values.identity import Identity
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockedTool, LockFile
from ansible_collections.pinned.release.plugins.plugin_utils._values.policy import Policy
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset, Release
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_publisher import (
    NOW,
    STATIC,
    Controller,
    Publisher,
)
from hypothesis import given
from hypothesis import strategies as st

NAME = "tool-1.0-linux-x86_64"


def resolve(
    controller: Controller, policy: str = "{}", locked: LockFile | None = None, more: str = "", **how: object
) -> Resolution:
    text = f"platforms: [linux/x86_64]\npolicy: {policy}\ntools: {{tool: {{source: {{pypi: tool}}{more}}}}}"
    return controller.resolve_text(text, locked, **how)


def refused(controller: Controller, policy: str = "{}", locked: LockFile | None = None, more: str = "") -> ReleaseError:
    with pytest.raises(ReleaseError, match="does not satisfy the policy") as caught:
        resolve(controller, policy, locked, more)
    assert caught.value.fix
    return caught.value


def with_policy(lock: LockFile, **demands: object) -> LockFile:
    return replace(lock, policy=Policy(**demands))


def violations(lock: LockFile, now: datetime = NOW) -> list[str]:
    return [f"{one.what}: {one.expected}; {one.found}" for one in policy_check.of_lock(lock, now)]


# Evidence.


def test_a_required_digest_is_one_that_the_publisher_states(publisher: Publisher, controller: Controller) -> None:
    publisher.publish("1.0", linux__x86_64=STATIC)
    assert resolve(controller, "{require: [digest]}").lock.policy.require == ("digest",)
    publisher.publish_files("1.0", {NAME: STATIC})
    error = refused(controller, "{require: [digest]}")
    assert (error.expected, error.found) == ("tool: evidence digest", f"tool: {NAME} has none")
    assert f'accept: {{without_digest: ["{NAME}"]}}' in error.fix
    assert refused(controller, more=", require: [digest]").found == error.found


def test_an_asset_that_is_refused_for_its_evidence_is_not_downloaded(
    publisher: Publisher, controller: Controller
) -> None:
    publisher.publish_files("1.0", {NAME: STATIC})
    refused(controller, "{require: [digest]}")
    assert list(controller.cache.glob("sha256/*")) == []


def test_an_asset_that_is_named_needs_no_digest_in_that_version(publisher: Publisher, controller: Controller) -> None:
    publisher.publish_files("1.0", {NAME: STATIC})
    more = ', accept: {without_digest: ["tool-{version}-linux-x86_64"]}'
    lock = resolve(controller, "{require: [digest]}", more=more).lock
    assert violations(lock) == []


@pytest.mark.parametrize("required", ["minisign", "proof"])
def test_a_required_proof_must_be_there(publisher: Publisher, controller: Controller, required: str) -> None:
    publisher.publish("1.0", linux__x86_64=STATIC)
    assert refused(controller, f"{{require: [{required}]}}").found == f"tool: {NAME} has digest"


def test_what_is_required_anew_is_asked_of_what_is_locked_without_asking_anybody(
    publisher: Publisher, controller: Controller
) -> None:
    publisher.publish("1.0", linux__x86_64=STATIC)
    locked, asked = resolve(controller).lock, publisher.asked
    again = resolve(controller, "{require: [digest]}", locked, more=", require: [digest]")
    assert publisher.asked == asked
    assert again.lock.tools["tool"].require == ("digest",)
    assert again.outcomes["tool"].notes == ("stays, now for require [digest] instead of nothing",)
    refused(controller, "{require: [proof]}", locked)


@pytest.fixture
def lock(publisher: Publisher, controller: Controller) -> LockFile:
    """Return what a rollout reads: a lock file as it was written."""
    publisher.publish("1.0", linux__x86_64=STATIC)
    return lockfile.parse(lockfile.emit(resolve(controller).lock))


def with_asset(lock: LockFile, **changes: object) -> LockFile:
    tool = lock.tools["tool"]
    return replace(lock, tools={"tool": replace(tool, assets=tuple(replace(one, **changes) for one in tool.assets))})


def test_each_kind_of_evidence_is_told_by_its_own_word(lock: LockFile) -> None:
    claim = Claim("sha256", "a" * 64, "listing")
    proof = Proof("minisign", Identity.of(key="KEY"), "signer", NAME, "a" * 64, "https://example.org/x.minisig", ())
    having = {
        "digest": Evidence((claim,)),
        "minisign": Evidence((), (proof,)),
        "sigstore": Evidence((), (replace(proof, kind="sigstore"),)),
    }
    for required in ("digest", "minisign", "sigstore", "proof"):
        satisfied = {
            name
            for name, evidence in having.items()
            if not violations(with_policy(with_asset(lock, evidence=evidence), require=(required,)))
        }
        assert satisfied == ({"minisign", "sigstore"} if required == "proof" else {required})


# Sources, hosts and sizes.


@pytest.mark.parametrize(
    ("allowed", "is_allowed"),
    [
        ("[pypi]", True),
        ('["pypi:tool"]', True),
        ('[github, "pypi:t*"]', True),
        ("[github]", False),
        ('["pypi:too"]', False),
        ('["github:tool"]', False),
    ],
)
def test_a_tool_comes_from_sources_that_the_policy_allows_or_nobody_is_asked(
    publisher: Publisher, controller: Controller, allowed: str, is_allowed: bool
) -> None:
    publisher.publish("1.0", linux__x86_64=STATIC)
    if is_allowed:
        assert violations(resolve(controller, f"{{sources: {allowed}}}").lock) == []
        return
    assert refused(controller, f"{{sources: {allowed}}}").found == "tool: pypi:tool"
    assert publisher.asked == 0


GITHUB = {"github": "astral-sh/uv"}
ELSEWHERE = {**GITHUB, "api_url": "https://git.example.org/api/v3"}


@pytest.mark.parametrize(
    ("pattern", "source", "is_allowed"),
    [
        ("github", GITHUB, True),
        ("github", ELSEWHERE, False),
        ("github:astral-sh/*", GITHUB, True),
        ("github:astral-sh/*", ELSEWHERE, False),
        ("github:git.example.org/astral-sh/*", ELSEWHERE, True),
        ("github:astral-sh/*", {"github": "Astral-sh/uv"}, False),
        ("github:astral-sh/*", {"gitlab": "astral-sh/uv"}, False),
        ("directory:/srv/releases/*", {"directory": "/srv/releases/uv"}, True),
        ("directory:/srv/releases/*", {"directory": "/srv/releases/../../tmp/uv"}, False),
        ("directory:https://h/ok/*", {"directory": "https://h/ok/%2e%2e/evil"}, False),
        ("directory:https://h/ok/*", {"directory": "https://h/ok/..\\evil"}, False),
        ("index:https://h/*", {"pypi": "uv", "index": "https://h/simple"}, False),
        ("pypi", {"pypi": "uv", "npm": "uv"}, False),
    ],
)
def test_a_pattern_on_sources_means_no_other_server_and_no_other_folder(pattern, source, is_allowed) -> None:
    found = tuple(policy_check.of_source(Policy(sources=(pattern,)), "uv", source))
    assert (found == ()) is is_allowed


@pytest.mark.parametrize(
    ("pattern", "url", "is_allowed"),
    [
        ("github.com", "https://github.com/x", True),
        ("github.com", "https://GitHub.com:443/x", True),
        ("github.com", "https://github.com./x", True),
        ("github.com", "https://github.com.example.org/x", False),
        ("github.com", "https://example.org/github.com", False),
        ("github.com", "https://api.github.com/x", False),
        ("*.example.org", "https://a.b.example.org/x", True),
        ("*.example.org", "https://example.org/x", False),
        ("*.example.org", "https://evilexample.org/x", False),
        ("::1", "http://[::1]:80/x", True),
        ("github.com", "http://[::1/x", False),
        ("github.com", "file:///srv/x", True),
    ],
)
def test_the_host_of_an_address_is_one_that_is_allowed(pattern: str, url: str, is_allowed: bool) -> None:
    found = tuple(policy_check.of_address(Policy(hosts=(pattern,)), "uv", url))
    assert (found == ()) is is_allowed


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_address_and_no_source_is_anything_but_allowed_or_not(one: str, other: str) -> None:
    policy = Policy(hosts=("example.org",), sources=("github:*/*",))
    tuple(policy_check.of_address(policy, "uv", f"https://{one}/{other}"))
    tuple(policy_check.of_source(policy, "uv", {"github": one, "api_url": f"https://{other}"}))


def test_an_asset_at_another_host_is_refused_before_that_is_asked(publisher: Publisher, controller: Controller) -> None:
    publisher.republish(Release("1.0", (Asset(NAME, f"https://example.org/{NAME}", 5),), NOW - timedelta(days=9)))
    error = refused(controller, "{hosts: [github.com]}")
    assert (error.expected, error.found) == ("tool: host one of github.com", "tool: example.org")


def test_an_asset_that_is_larger_than_allowed_is_refused_by_what_is_listed_and_by_what_comes(
    publisher: Publisher, controller: Controller
) -> None:
    large = STATIC + bytes(2 * 1024**2)
    publisher.publish("1.0", linux__x86_64=large)
    assert refused(controller, "{maximum_size: 1MiB}").found == f"tool: {NAME} has {len(large)} bytes"
    [listed] = publisher.releases()
    unsaid = replace(listed, assets=(replace(listed.assets[0], size=None, digests={}),))
    publisher.republish(unsaid)
    with pytest.raises(ReleaseError, match="is larger than it may be"):
        resolve(controller, "{maximum_size: 1MiB}")
    locked = resolve(controller).lock
    assert violations(with_policy(locked, maximum_bytes=1024**2)) == [
        f"size: at most 1MiB; {NAME} has {len(large)} bytes"
    ]


# How old a lock file is.


def at(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T12:00:00+00:00")


def test_only_a_policy_that_asks_for_it_lets_the_lock_file_say_its_day(
    publisher: Publisher, controller: Controller
) -> None:
    publisher.publish("1.0", linux__x86_64=STATIC)
    assert "confirmed" not in lockfile.emit(resolve(controller).lock)
    locked = resolve(controller, "{valid_for: 90d}").lock
    assert locked.confirmed == "2026-01-31"
    assert lockfile.parse(lockfile.emit(locked)) == locked
    assert lockfile.emit(resolve(controller, "{valid_for: 90d}").lock) == lockfile.emit(locked)


@pytest.mark.parametrize(
    ("confirmed", "kept"),
    [
        ("2026-01-31", True),
        ("2026-01-11", True),
        ("2026-01-10", False),
        ("2026-02-01", False),
        ("2025-02-30", False),
        (None, False),
    ],
)
def test_a_lock_is_confirmed_anew_after_a_quarter_of_its_time(
    publisher: Publisher, controller: Controller, confirmed: str | None, kept: bool
) -> None:
    publisher.publish("1.0", linux__x86_64=STATIC)
    locked = replace(resolve(controller, "{valid_for: 80d}").lock, confirmed=confirmed)
    again = resolve(controller, "{valid_for: 80d}", locked)
    assert (again.lock == locked) is kept
    assert again.lock.confirmed == (confirmed if kept else "2026-01-31")
    told = f"confirmed: on 2026-01-31 instead of {confirmed}, valid until 2026-04-21"
    assert again.notes == (() if kept or confirmed is None else (told,))


@pytest.mark.parametrize(
    ("confirmed", "day", "is_valid"),
    [
        ("2026-01-31", "2026-01-31", True),
        ("2026-01-31", "2026-03-02", True),
        ("2026-01-31", "2026-03-03", False),
        ("2026-01-31", "2026-01-30", True),
        ("2026-01-31", "2026-01-29", False),
        ("9999-12-31", "2026-01-31", False),
        ("2025-02-30", "2026-01-31", False),
        (None, "2026-01-31", False),
    ],
)
def test_a_lock_that_is_too_old_or_from_the_future_is_refused(
    lock: LockFile, confirmed: str | None, day: str, is_valid: bool
) -> None:
    dated = replace(with_policy(lock, valid_for=timedelta(days=30)), confirmed=confirmed)
    if is_valid:
        policy_check.refuse_lock(dated, Path("releases.lock.json"), at(day))
        return
    with pytest.raises(ReleaseError, match=r"releases\.lock\.json does not satisfy the policy\n") as caught:
        policy_check.refuse_lock(dated, Path("releases.lock.json"), at(day))
    assert caught.value.expected == f"confirmed within 30d before {day}, as policy.valid_for demands"
    assert caught.value.fix == "lock again with pinned.release.lock, and commit the lock file"


# All of it.


def test_every_violation_of_a_lock_file_is_told_at_once(lock: LockFile) -> None:
    large = with_asset(lock, size=2 * 1024**2, unpacked_size=5 * 1024**2, url="https://example.org/x")
    strict = Policy(timedelta(days=99), 4 * 1024**2, 1024**2, ("proof",), ("github",), ("github.com",))
    found = [one.what for one in policy_check.of_lock(replace(large, policy=strict), NOW)]
    assert found == ["source", "age", "host", "size", "size", "evidence"]
    with pytest.raises(ReleaseError, match=r"releases\.lock\.json: tool does not satisfy the policy") as caught:
        policy_check.refuse_lock(replace(large, policy=strict), Path("releases.lock.json"), NOW)
    assert "tool: host one of github.com; tool: size at most 1MiB" in str(caught.value.expected)


@pytest.mark.parametrize("published", [None, "2026-99-99T99:99:99Z", "2026-01-30T00:00:00Z"])
def test_an_age_that_is_unknown_or_too_low_is_a_violation(lock: LockFile, published: str | None) -> None:
    tool: LockedTool = replace(lock.tools["tool"], published=published)
    found = violations(with_policy(replace(lock, tools={"tool": tool}), minimum_age=timedelta(days=3)))
    assert [one.partition(":")[0] for one in found] == ["age"]


def test_a_lock_of_thousands_of_assets_is_looked_at_in_a_moment(lock: LockFile) -> None:
    tool = lock.tools["tool"]
    many = replace(lock, tools={f"tool{number}": tool for number in range(1000)})
    strict = with_policy(many, require=("digest",), sources=("pypi:*",), hosts=("example.org",), maximum_bytes=1024**3)
    started = datetime.now(timezone.utc)
    assert policy_check.of_lock(strict, NOW) == ()
    assert datetime.now(timezone.utc) - started < timedelta(seconds=2)
