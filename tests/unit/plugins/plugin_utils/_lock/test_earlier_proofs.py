# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service that is down when a lock is made: the proof of the last lock stays, or there is no lock."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._lock import lockfile
from ansible_collections.pinned.release.plugins.plugin_utils._lock.earlier_proofs import Before
from ansible_collections.pinned.release.plugins.plugin_utils._lock.resolve import Resolution
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import Authorities
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.failures import UnreachableError
from ansible_collections.pinned.release.plugins.plugin_utils._signature import sigstore
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import Evidence
from ansible_collections.pinned.release.plugins.plugin_utils._values.identity import Identity
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockFile
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset, Attestation
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_publisher import (
    ARM,
    STATIC,
    Controller,
    Publisher,
)
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_sigstore import LittleSigstore, statement

LITTLE = LittleSigstore()
PINNED = ", verify: {provenance: {repository: owner/tool}}"
WITH_SUCCESSOR = ", verify: {provenance: {repository: owner/tool, successors: [{repository: owner/next}]}}"
OF_SOMEBODY = ", verify: {provenance: {repository: somebody/tool}}"
BOTH = "linux/x86_64, linux/aarch64"
NOTE = "the service does not answer; the proof of the last lock stays"


class Service:
    """What a publisher's service says about files: that they are signed, that they are not, or nothing: it is down."""

    def __init__(self) -> None:
        self.says = "signed"

    def __call__(self, _asset: Asset, digests: Mapping[str, str]) -> Sequence[Attestation]:
        if self.says == "nothing":
            raise UnreachableError("the service", ReleaseError("no connection", found="it is down", fix="wait"))
        bundle = LITTLE.signed_statement(statement(name="tool", digest={"sha256": digests["sha256"]}))
        return [Attestation("https://example.org/1", json.dumps(bundle).encode())] if self.says == "signed" else []


@pytest.fixture
def service(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> Service:
    """Return the service of a publisher who has signed version 1.0; the public trust root is a little one."""
    monkeypatch.setattr(sigstore, "public_good", LITTLE.trusted_root)
    service = Service()
    publish(publisher, service, linux__x86_64=STATIC, linux__arm64=ARM)
    return service


def publish(publisher: Publisher, service: Service, **programs: bytes) -> None:
    publisher.republish()
    publisher.publish("1.0", **programs)
    publisher.republish(*(replace(release, attestations=service) for release in publisher.releases()))


def kept_of(resolution: Resolution) -> set[str]:
    [asset] = resolution.lock.tools["tool"].assets
    return asset.evidence.kept()


def test_the_proof_of_the_last_lock_stays_and_that_is_said(controller: Controller, service: Service) -> None:
    first = controller.resolve(more=PINNED)
    service.says = "nothing"
    again = controller.resolve(locked=first.lock, upgrade=["tool"], more=PINNED)
    assert lockfile.emit(again.lock) == lockfile.emit(first.lock)
    assert again.outcomes["tool"].notes == (NOTE,)
    assert (again.kept, kept_of(again)) == ({}, kept_of(first))


def test_a_proof_that_was_made_by_an_identity_that_is_still_pinned_stays(
    controller: Controller, service: Service
) -> None:
    first = controller.resolve(more=PINNED)
    service.says = "nothing"
    again = controller.resolve(locked=first.lock, more=WITH_SUCCESSOR)
    assert NOTE in again.outcomes["tool"].notes
    assert kept_of(again) == kept_of(first)


def down(controller: Controller, locked: LockFile | None, more: str = PINNED, platforms: str = "linux/x86_64") -> str:
    """Return what the error says where there is no lock because the service is down."""
    with pytest.raises(UnreachableError) as caught:
        controller.resolve(locked=locked, upgrade=["tool"], more=more, platforms=platforms)
    return caught.value.what


def test_without_an_earlier_proof_there_is_no_lock(controller: Controller, service: Service) -> None:
    service.says = "nothing"
    assert down(controller, None) == "tool: the service does not answer"


def test_a_proof_by_an_identity_that_is_not_pinned_any_more_does_not_stay(
    controller: Controller, service: Service
) -> None:
    first = controller.resolve(more=PINNED)
    service.says = "nothing"
    down(controller, first.lock, OF_SOMEBODY)


def test_an_asset_that_was_not_locked_before_has_no_earlier_proof(controller: Controller, service: Service) -> None:
    first = controller.resolve(more=PINNED)
    service.says = "nothing"
    down(controller, first.lock, platforms=BOTH)


def test_a_proof_that_cannot_be_verified_again_does_not_stay(controller: Controller, service: Service) -> None:
    first = controller.resolve(more=PINNED)
    service.says = "nothing"
    controller.has_kept = lambda sha256: False
    down(controller, first.lock)


def test_other_bytes_have_no_earlier_proof(publisher: Publisher, controller: Controller, service: Service) -> None:
    first = controller.resolve(more=PINNED)
    [asset] = first.lock.tools["tool"].assets
    other = replace(asset, sha256=hashlib.sha256(b"other").hexdigest())
    service.says = "nothing"
    down(controller, replace(first.lock, tools={"tool": replace(first.lock.tools["tool"], assets=(other,))}))


def test_of_earlier_proofs_only_those_by_identities_that_are_pinned_stay(
    controller: Controller, service: Service
) -> None:
    locked = controller.resolve(more=PINNED).lock.tools["tool"]
    [asset] = locked.assets
    [proof] = asset.evidence.proofs
    other = replace(proof, identity=Identity.of(repository="somebody/tool"))
    both = replace(locked, assets=(replace(asset, evidence=Evidence((), (proof, other))),))
    error = UnreachableError("the log", ReleaseError("no connection"))
    found = Before(both).proofs(asset.name, asset.sha256, {"provenance": (proof.identity,)}, error)
    assert (found.proofs, found.note) == ((proof,), "the log does not answer; the proof of the last lock stays")


def test_the_trust_root_of_another_authority_is_asked_for_and_it_may_be_down(
    controller: Controller, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sigstore, "public_good", LittleSigstore("public", ("root", "the public one")).trusted_root)
    controller.authorities = Authorities(lambda: (LITTLE.trusted_root(),))
    first = controller.resolve(more=PINNED)

    def is_down() -> tuple[bytes, ...]:
        raise UnreachableError("the service", ReleaseError("no connection"))

    controller.authorities = Authorities(is_down)
    again = controller.resolve(locked=first.lock, upgrade=["tool"], more=PINNED)
    assert (again.lock, again.outcomes["tool"].notes) == (first.lock, (NOTE,))


def test_a_service_that_says_that_nothing_is_signed_is_believed(controller: Controller, service: Service) -> None:
    first = controller.resolve(more=PINNED)
    service.says = "unsigned"
    with pytest.raises(ReleaseError, match="has no provenance that is signed") as caught:
        controller.resolve(locked=first.lock, upgrade=["tool"], more=PINNED)
    assert not isinstance(caught.value, UnreachableError)
