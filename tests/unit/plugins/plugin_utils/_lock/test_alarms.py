# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became worse since it was locked stops the lock, with both values. The manifest names what a user accepts."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._lock import alarms, manifest
from ansible_collections.pinned.release.plugins.plugin_utils._lock.lockfile import emit, parse
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import Evidence, Proof
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockFile
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_publisher import (
    ARM,
    GNU,
    STATIC,
    Controller,
    Publisher,
)
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.minisign_keys import SigningKey

KEY = SigningKey("publisher")
NAME = "tool-{}-linux-x86_64"
EVIL = STATIC + b"evil"


def alarm(controller: Controller, locked: LockFile, **how: object) -> ReleaseError:
    """Return the error, after making sure that what it offers to accept is what lets the lock pass."""
    how = {"upgrade": ["all"], **how}
    with pytest.raises(ReleaseError) as caught:
        controller.resolve(locked=locked, **how)
    accept = str(caught.value.fix).partition("tools.tool: ")[2]
    assert accept.startswith("accept: {")
    more = f"{how.pop('more', '')}, {accept}"
    accepted = controller.resolve(locked=locked, more=more, **how).lock
    assert parse(emit(accepted)) == accepted
    assert accepted.tools["tool"].accepted
    return caught.value


# An older version.


def test_a_version_that_vanished_is_no_reason_to_go_back(publisher: Publisher, controller: Controller) -> None:
    publisher.publish("1.0", linux__x86_64=STATIC)
    publisher.publish("1.1", linux__x86_64=STATIC)
    locked = controller.resolve().lock
    publisher.republish(publisher.releases()[0])
    error = alarm(controller, locked)
    assert error.what == "tool 1.0: would go back to an older version"
    assert error.expected == "1.1, as locked"
    assert error.found == "1.0; 1.1 is no longer published"
    assert error.fix.endswith('write into tools.tool: accept: {downgrade: ["1.0"]}')


def test_a_version_that_was_withdrawn_or_is_not_taken_is_said_to_be(
    publisher: Publisher, controller: Controller
) -> None:
    publisher.publish("1.0", linux__x86_64=STATIC)
    publisher.publish("1.1", linux__x86_64=STATIC, days_old=5)
    locked = controller.resolve().lock
    assert alarm(controller, locked, age="9d").found == "1.0; 1.1 is still published, but not taken"
    old, new = publisher.releases()
    publisher.republish(old, replace(new, is_yanked=True))
    assert alarm(controller, locked).found == "1.0; 1.1 was withdrawn by its publisher"


def test_whoever_accepts_one_older_version_accepts_no_other(publisher: Publisher, controller: Controller) -> None:
    publisher.publish("1.0", linux__x86_64=STATIC)
    publisher.publish("1.2", linux__x86_64=STATIC)
    locked = controller.resolve().lock
    publisher.republish(publisher.releases()[0])
    with pytest.raises(ReleaseError, match="would go back"):
        controller.resolve(locked=locked, upgrade=["all"], more=', accept: {downgrade: ["1.1", "1.2", "0.9"]}')


@pytest.mark.parametrize("version", ["1.0", "<1.1", "1.0.*"])
def test_an_older_version_that_the_manifest_asks_for_is_no_alarm(
    publisher: Publisher, controller: Controller, version: str
) -> None:
    publisher.publish("1.0", linux__x86_64=STATIC)
    publisher.publish("1.1", linux__x86_64=STATIC)
    moved = controller.resolve(version, controller.resolve().lock)
    assert moved.outcomes["tool"].action == "downgraded"


# An asset that is gone.


def test_an_asset_that_a_locked_version_no_longer_has_is_an_alarm(publisher: Publisher, controller: Controller) -> None:
    publisher.publish("1.0", linux__x86_64_gnu=GNU, linux__x86_64_musl=STATIC)
    locked = controller.resolve().lock
    [release] = publisher.releases()
    publisher.republish(replace(release, assets=release.assets[1:]))
    error = alarm(controller, locked)
    assert error.what == "tool 1.0: assets that were locked are no longer published"
    assert error.expected == "tool-1.0-linux-x86_64_gnu, for x86_64-unknown-linux-gnu"
    assert error.found == "only tool-1.0-linux-x86_64_musl"
    assert error.fix.endswith('accept: {vanished_asset: ["1.0 tool-1.0-linux-x86_64_gnu"]}')


def test_an_asset_that_is_no_longer_asked_for_or_has_another_name_is_none(
    publisher: Publisher, controller: Controller
) -> None:
    publisher.publish("1.0", linux__x86_64=STATIC, linux__arm64=ARM)
    locked = controller.resolve(platforms="linux/x86_64, linux/aarch64").lock
    [release] = publisher.releases()
    publisher.republish(replace(release, assets=(replace(release.assets[0], name="tool-linux-amd64"),)))
    assert controller.resolve(locked=locked, upgrade=["all"]).lock.tools["tool"].assets[0].name == "tool-linux-amd64"


def test_a_newer_version_without_the_asset_is_told_and_is_no_alarm(
    publisher: Publisher, controller: Controller
) -> None:
    publisher.publish("1.0", linux__x86_64_gnu=GNU, linux__x86_64_musl=STATIC)
    locked = controller.resolve().lock
    publisher.publish("1.1", linux__x86_64_musl=STATIC)
    [note] = controller.resolve(locked=locked, upgrade=["all"]).outcomes["tool"].notes
    assert note.startswith("x86_64-unknown-linux-gnu disappeared →")


# Less evidence.


def test_a_digest_that_is_no_longer_stated_is_an_alarm(publisher: Publisher, controller: Controller) -> None:
    publisher.publish("1.0", linux__x86_64=STATIC)
    locked = controller.resolve().lock
    publisher.publish_files("1.1", {NAME.format("1.1"): STATIC})
    error = alarm(controller, locked)
    assert error.what == "tool 1.1: has less evidence than what is locked"
    assert (error.expected, error.found) == ("listing, as 1.0 had", "no listing for tool-1.1-linux-x86_64")
    assert error.fix.endswith('accept: {weaker_evidence: ["1.1 listing"]}')


def sums(content: bytes, name: str) -> bytes:
    return f"{hashlib.sha256(content).hexdigest()}  {name}\n".encode()


def test_another_place_of_digests_in_exchange_is_an_alarm(publisher: Publisher, controller: Controller) -> None:
    name = NAME.format("1.0")
    publisher.publish_files("1.0", {name: STATIC, "SHA256SUMS": sums(STATIC, name)})
    locked = controller.resolve().lock
    publisher.publish("1.1", linux__x86_64=STATIC)
    assert alarm(controller, locked).expected == "sums, as 1.0 had"


def test_more_evidence_than_before_is_none(publisher: Publisher, controller: Controller) -> None:
    publisher.publish_files("1.0", {NAME.format("1.0"): STATIC})
    locked = controller.resolve().lock
    publisher.publish("1.1", linux__x86_64=STATIC)
    assert controller.resolve(locked=locked, upgrade=["all"]).lock.tools["tool"].version == "1.1"


# Another signer.


def signed(controller: Controller, publisher: Publisher, version: str) -> LockFile:
    name = NAME.format(version)
    publisher.publish_files(version, {name: STATIC, f"{name}.minisig": KEY.sign(STATIC)})
    return controller.resolve(more=f", verify: {{minisign: {KEY.public}}}").lock


def by(lock: LockFile, signer: str) -> LockFile:
    """Return *lock* as if its proofs had been made by *signer*, for the same identity."""
    tool = lock.tools["tool"]
    assets = [replace(one, evidence=with_signer(one.evidence, signer)) for one in tool.assets]
    return replace(lock, tools={"tool": replace(tool, assets=tuple(assets))})


def with_signer(evidence: Evidence, signer: str) -> Evidence:
    proofs: tuple[Proof, ...] = tuple(replace(proof, signer=signer) for proof in evidence.proofs)
    return replace(evidence, proofs=proofs)


def test_another_signer_for_the_same_identity_is_an_alarm(publisher: Publisher, controller: Controller) -> None:
    locked = by(signed(controller, publisher, "1.0"), "somebody else")
    [proof] = signed(controller, publisher, "1.1").tools["tool"].assets[0].evidence.proofs
    error = alarm(controller, locked, more=f", verify: {{minisign: {KEY.public}}}")
    assert error.what == "tool 1.1: has minisign proofs by another signer"
    assert (error.expected, error.found) == ("somebody else, who signed 1.0", proof.signer)
    assert error.fix.endswith(f'accept: {{signer: ["1.1 {proof.signer}"]}}')


@pytest.mark.parametrize(
    ("before", "after", "is_same"),
    [
        ("release.yml@refs/tags/v1.0", "release.yml@refs/tags/v1.1", True),
        ("release.yml@refs/tags/tool-1_0", "release.yml@refs/tags/tool-1_1", True),
        ("builder of 1.0", "builder of 1.1", True),
        ("release.yml@refs/tags/v1.0", "nightly.yml@refs/tags/v1.1", False),
        ("release.yml@refs/tags/v1.0", "release.yml@refs/heads/main", False),
        ("release.yml@refs/heads/main", "release.yml@refs/heads/other", False),
    ],
)
def test_a_signer_that_is_called_by_the_version_or_its_tag_stays_the_same(
    publisher: Publisher, controller: Controller, before: str, after: str, is_same: bool
) -> None:
    lock = signed(controller, publisher, "1.0")
    wanted = manifest.parse("platforms: [linux/x86_64]\ntools: {tool: {source: {pypi: tool}}}").tools["tool"]
    [release] = publisher.releases()
    old, new = by(lock, before).tools["tool"], replace(by(lock, after).tools["tool"], version="1.1")
    if is_same:
        alarms.refuse_weaker(wanted, release, new, old)
        return
    with pytest.raises(ReleaseError, match="by another signer"):
        alarms.refuse_weaker(wanted, release, new, old)


# All of them.


def test_several_alarms_of_one_tool_are_told_together(publisher: Publisher, controller: Controller) -> None:
    publisher.publish("1.0", linux__x86_64_gnu=GNU, linux__x86_64_musl=STATIC)
    locked = controller.resolve().lock
    publisher.publish_files("1.0", {"tool-1.0-linux-x86_64_musl": STATIC})
    with pytest.raises(ReleaseError) as caught:
        controller.resolve(locked=locked, upgrade=["all"])
    assert caught.value.what == (
        "tool 1.0: assets that were locked are no longer published; has less evidence than what is locked"
    )


def test_other_bytes_that_are_accepted_by_their_digest_are_locked(publisher: Publisher, controller: Controller) -> None:
    publisher.publish("1.0", linux__x86_64=STATIC)
    locked = controller.resolve().lock
    publisher.republish()
    publisher.publish("1.0", linux__x86_64=EVIL)
    assert "was changed after it was locked" in alarm(controller, locked).what
    digest = locked.tools["tool"].assets[0].sha256
    with pytest.raises(ReleaseError, match="was changed after it was locked"):
        controller.resolve(locked=locked, upgrade=["all"], more=f', accept: {{republished: ["1.0 {digest}"]}}')


def test_what_is_accepted_can_be_taken_out_again_without_asking_anybody(
    publisher: Publisher, controller: Controller
) -> None:
    publisher.publish("1.0", linux__x86_64=STATIC)
    locked = controller.resolve(more=', accept: {downgrade: ["1.0"]}').lock
    asked = publisher.asked
    again = controller.resolve(locked=locked)
    assert again.lock.tools["tool"].accepted == {}
    assert again.outcomes["tool"].action == "kept"
    assert publisher.asked == asked
