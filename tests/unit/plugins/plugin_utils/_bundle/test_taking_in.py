# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The side without a network gets the same mirror and a filled cache; a bundle that lies changes nothing."""

from __future__ import annotations

import shutil
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._asset.renamed_archive import renamed
from ansible_collections.pinned.release.plugins.plugin_utils._lock import components_file, signers
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.entry import GivenLock
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.given_locks import read_lock
from ansible_collections.pinned.release.plugins.plugin_utils._values.components import Inside
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import Proof
from ansible_collections.pinned.release.plugins.plugin_utils._values.identity import Identity
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import Alias
from ansible_collections.pinned.release.tests.fakes.web import Web, files
from ansible_collections.pinned.release.tests.unit.plugins.module_utils import made_archives as made
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.bundled import (
    Receiver,
    Sender,
    forged,
    members,
)
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.minisign_keys import SigningKey
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.mirrored import asset, given, sha256, tool
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.ssh_signing import SshKey

OLD, NEW = b"old" * 1000, b"new" * 2000
OLD_PATH, NEW_PATH = "/o/r/releases/download/v1.0/tool.gz", "/o/r/releases/download/v2.0/tool.gz"
LOCK = "locks/releases.lock.json"
KEY, ALICE = SigningKey("publisher"), SshKey("alice")
#: The id of that key.
SIGNER = "DB444E9C993C4E13"


@pytest.fixture
def web() -> Iterator[Web]:
    with Web(files({OLD_PATH: OLD, NEW_PATH: NEW})) as server:
        yield server


@pytest.fixture
def sender(tmp_path: Path) -> Sender:
    return Sender(tmp_path / "outside")


@pytest.fixture
def receiver(tmp_path: Path) -> Receiver:
    (tmp_path / "inside").mkdir()
    return Receiver(tmp_path / "inside")


def lock(sender: Sender, web: Web, path: str = OLD_PATH, content: bytes = OLD) -> GivenLock:
    return given(sender.folder / "releases.lock.json", {"tool": tool(asset(web.url + path, content))})


def signed_lock(sender: Sender, web: Web, signature: bytes) -> GivenLock:
    """Return a lock file with a proof by minisign that is made of *signature*, kept beside it."""
    proof = Proof(
        "minisign",
        Identity.of(key=KEY.public),
        SIGNER,
        "tool.gz",
        sha256(OLD),
        f"{web.url}{OLD_PATH}.minisig",
        (("signature", sha256(signature)),),
    )
    folder = sender.folder / "releases.evidence"
    folder.mkdir(parents=True)
    (folder / sha256(signature)).write_bytes(signature)
    return given(sender.folder / "releases.lock.json", {"tool": tool(asset(web.url + OLD_PATH, OLD, proofs=[proof]))})


def test_other_side_has_the_same_mirror_and_the_cache(sender: Sender, receiver: Receiver, web: Web) -> None:
    pinned = lock(sender, web)
    sender.write(pinned)
    sender.mirror(pinned)
    asked = len(web.questions)
    taken = receiver.take_in(sender.bundle)
    assert receiver.files() == sender.files()
    assert taken.cached == ("tool 1.0: tool.gz",)
    assert taken.cache_notes == ("put 1 asset into the controller's cache",)
    assert taken.lockfiles == (str(receiver.dest / LOCK),)
    kept = receiver.cache.open_kept(sha256(OLD))
    assert kept is not None
    assert kept.read() == OLD
    assert len(web.questions) == asked


def test_second_run_changes_nothing(sender: Sender, receiver: Receiver, web: Web) -> None:
    sender.write(lock(sender, web))
    assert receiver.take_in(sender.bundle).todo.is_changed
    again = receiver.take_in(sender.bundle)
    assert not again.todo.is_changed
    assert (again.cached, again.cache_notes) == ((), ())


def test_check_mode_says_the_same_and_writes_nothing(sender: Sender, receiver: Receiver, web: Web) -> None:
    sender.write(lock(sender, web))
    foreseen = receiver.foreseen(sender.bundle)
    assert receiver.is_untouched()
    taken = receiver.take_in(sender.bundle)
    assert (foreseen.todo.write, foreseen.cached) == (taken.todo.write, taken.cached)


def test_emptied_cache_and_damaged_mirror_are_filled_again(sender: Sender, receiver: Receiver, web: Web) -> None:
    sender.write(lock(sender, web))
    receiver.take_in(sender.bundle)
    shutil.rmtree(receiver.folder / "cache")
    place = next(receiver.dest.rglob("tool.gz"))
    place.write_bytes(b"damaged")
    receiver.take_in(sender.bundle)
    assert place.read_bytes() == OLD
    assert receiver.cache.open_kept(sha256(OLD)) is not None


def test_asset_that_was_left_out_comes_from_the_mirror(sender: Sender, receiver: Receiver, web: Web) -> None:
    before = lock(sender, web)
    sender.write(before)
    receiver.take_in(sender.bundle)
    shutil.rmtree(receiver.folder / "cache")
    sender.write(before, since=[before.lock])
    assert not any(name.startswith("assets/") for name in members(sender.bundle))
    assert receiver.take_in(sender.bundle).cached == ("tool 1.0: tool.gz",)
    assert receiver.cache.open_kept(sha256(OLD)) is not None


def test_asset_that_is_nowhere_is_told_before_anything_is_written(sender: Sender, receiver: Receiver, web: Web) -> None:
    before = lock(sender, web)
    sender.write(before, since=[before.lock])
    with pytest.raises(ReleaseError, match="leaves out assets that are not here either") as refused:
        receiver.take_in(sender.bundle)
    assert "tool 1.0: tool.gz" in str(refused.value)
    assert receiver.is_untouched()


def test_alias_is_made_on_the_other_side(sender: Sender, receiver: Receiver) -> None:
    content = made.archive("tar.gz", made.file("tool-musl/tool", b"program", 0o755))
    with Web(files({"/f/tool-musl.tar.gz": content})) as web:
        pinned = asset(f"{web.url}/f/tool-musl.tar.gz", content)
        from_sender = sender.folder / "asset"
        from_sender.parent.mkdir(parents=True)
        from_sender.write_bytes(content)
        alias = _alias_of(from_sender)
        lock_file = given(sender.folder / "releases.lock.json", {"tool": tool(pinned, aliases=[alias])})
        sender.write(lock_file)
    receiver.take_in(sender.bundle)
    (copy,) = {path.read_bytes() for path in receiver.dest.rglob("tool-gnu.tar.gz")}
    assert sha256(copy) == alias.sha256


def _alias_of(path: Path) -> Alias:
    copy = b"".join(renamed(path, "tool-musl.tar.gz", "tool-gnu.tar.gz", 10**6))
    return Alias("tool-gnu.tar.gz", "tool-gnu.tar.gz", "tool-musl.tar.gz", sha256(copy), len(copy))


def refused(sender: Sender, receiver: Receiver, words: str) -> None:
    with pytest.raises(ReleaseError, match=words):
        receiver.take_in(sender.bundle)
    assert receiver.is_untouched()


def test_lock_file_of_other_assets_is_refused(sender: Sender, receiver: Receiver, web: Web) -> None:
    other = lock(sender, web, NEW_PATH, NEW)
    sender.write(lock(sender, web))
    forged(sender.bundle, {LOCK: other.text})
    refused(sender, receiver, "has what none of its lock files names")


def test_lock_file_of_more_assets_is_refused(sender: Sender, receiver: Receiver, web: Web) -> None:
    tools = {"tool": tool(asset(web.url + OLD_PATH, OLD)), "new": tool(asset(web.url + NEW_PATH, NEW))}
    more = given(sender.folder / "releases.lock.json", tools)
    sender.write(lock(sender, web))
    forged(sender.bundle, {LOCK: more.text})
    refused(sender, receiver, "leaves out assets that are not here either")


def test_size_that_the_bytes_do_not_have_is_refused(sender: Sender, receiver: Receiver, web: Web) -> None:
    pinned = replace(asset(web.url + OLD_PATH, OLD), size=len(OLD) + 1)
    other = given(sender.folder / "releases.lock.json", {"tool": tool(pinned)})
    sender.write(lock(sender, web))
    forged(sender.bundle, {LOCK: other.text})
    refused(sender, receiver, "a size that its bytes do not have")


@pytest.mark.parametrize("name", ["assets/" + sha256(b"x"), "locks/releases.evidence/" + sha256(b"x")])
def test_what_no_lock_file_names_is_refused(sender: Sender, receiver: Receiver, web: Web, name: str) -> None:
    sender.write(lock(sender, web))
    forged(sender.bundle, {name: b"x"})
    refused(sender, receiver, "has what none of its lock files names")


def test_bundle_without_a_lock_file_is_refused(sender: Sender, receiver: Receiver, web: Web) -> None:
    sender.write(lock(sender, web))
    forged(sender.bundle, {LOCK: None})
    refused(sender, receiver, "has no lock file")


def test_lock_file_that_is_none_is_refused_by_its_name_in_the_bundle(
    sender: Sender, receiver: Receiver, web: Web
) -> None:
    sender.write(lock(sender, web))
    forged(sender.bundle, {LOCK: b"{}"})
    refused(sender, receiver, f"releases.bundle.tar: {LOCK}")


def test_signature_is_demanded_of_the_lock_file(sender: Sender, receiver: Receiver, web: Web) -> None:
    pinned = lock(sender, web)
    required = signers.read({"keys": [f"{ALICE.public} alice"]})
    sender.write(pinned)
    with pytest.raises(ReleaseError, match="not signed by enough"):
        receiver.take_in(sender.bundle, required)
    assert receiver.is_untouched()
    pinned.path.with_name("releases.lock.json.sig").write_bytes(ALICE.sign(pinned.text, b"pinned.release"))
    sender.write(read_lock(pinned.path))
    receiver.take_in(sender.bundle, required)
    assert (receiver.dest / f"{LOCK}.sig").is_file()


def test_what_is_inside_the_programs_comes_with_the_lock_file(sender: Sender, receiver: Receiver, web: Web) -> None:
    pinned = lock(sender, web)
    text = components_file.emit({"tool": {sha256(OLD): {"tool": Inside()}}})
    components_file.path_beside(pinned.path).write_text(text)
    sender.write(read_lock(pinned.path))
    receiver.take_in(sender.bundle)
    assert (receiver.dest / "locks/releases.components.json").read_text() == text


def test_proofs_are_verified_again_from_the_bundle(sender: Sender, receiver: Receiver, web: Web) -> None:
    sender.write(signed_lock(sender, web, KEY.sign(OLD)))
    (proof,) = receiver.foreseen(sender.bundle).proofs
    assert (proof.verdict, proof.kind) == ("verified", "minisign")


def test_proof_that_does_not_hold_is_refused(sender: Sender, receiver: Receiver, web: Web) -> None:
    sender.write(signed_lock(sender, web, KEY.sign(NEW)))
    refused(sender, receiver, "1 of 1 proofs do not hold")


def test_evidence_that_lacks_is_refused(sender: Sender, receiver: Receiver, web: Web) -> None:
    signature = KEY.sign(OLD)
    sender.write(signed_lock(sender, web, signature))
    forged(sender.bundle, {f"locks/releases.evidence/{sha256(signature)}": None})
    refused(sender, receiver, "a signature that the lock file names is not in")


def test_bundle_that_is_changed_meanwhile_fills_nothing(
    sender: Sender, receiver: Receiver, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender.write(lock(sender, web))
    whole = sender.bundle.read_bytes()
    find = receiver.cache.__class__.find

    def find_late(cache: object, wanted: object) -> object:
        sender.bundle.write_bytes(whole.replace(OLD, b"bad" * 1000))
        return find(cache, wanted)  # type: ignore[arg-type]

    monkeypatch.setattr(receiver.cache.__class__, "find", find_late)
    with pytest.raises(ReleaseError, match="not what it should be"):
        receiver.take_in(sender.bundle)
    assert not receiver.dest.exists()
    assert receiver.cache.open_kept(sha256(OLD)) is None


def test_memory_does_not_grow_with_the_assets(sender: Sender, receiver: Receiver, tmp_path: Path) -> None:
    large = tmp_path / "large.gz"
    large.write_bytes(bytes(64 << 20))
    pinned = asset(large.as_uri(), large.read_bytes())
    lock_file = given(sender.folder / "releases.lock.json", {"tool": tool(pinned)})
    tracemalloc.start()
    try:
        sender.write(lock_file)
        receiver.take_in(sender.bundle)
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()
    assert next(receiver.dest.rglob("large.gz")).stat().st_size == 64 << 20
