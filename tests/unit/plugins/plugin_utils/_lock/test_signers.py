# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signatures of the lock file: how many count, of whom, and what is told where they are too few."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._lock import lock_reader, lockfile, signers
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockFile
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.minisign_keys import SigningKey
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.ssh_signing import SshKey
from hypothesis import given
from hypothesis import strategies as st

TOP = Path(__file__).resolve().parents[5]
NAME = "releases.lock.json"
TEXT = lockfile.emit(LockFile())
ALICE, BOB, CAROL = SshKey("alice"), SshKey("bob", is_hardware=True), SigningKey("carol")
MALLORY = SshKey("mallory")
KEYS = [f"{ALICE.public} alice", f"{BOB.public} bob", f"{CAROL.public} carol"]


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    (tmp_path / NAME).write_text(TEXT)
    return tmp_path / NAME


def sign(lock: Path, key: SshKey, name: str, content: str = TEXT, namespace: bytes = b"pinned.release") -> None:
    """Lay a signature beside the *lock* file, as ssh-keygen would make it."""
    lock.with_name(f"{NAME}{name}.sig").write_bytes(key.sign(content.encode(), namespace))


def sign_as_carol(lock: Path, content: str = TEXT) -> None:
    lock.with_name(f"{NAME}.carol.minisig").write_bytes(CAROL.sign(content.encode()))


def read(lock: Path, threshold: int | None = 2, keys: list[str] | None = None) -> None:
    required = signers.read({"keys": keys or KEYS, "threshold": threshold})
    lock_reader.read(lock, required)


def refused(lock: Path, threshold: int | None = 2, keys: list[str] | None = None) -> ReleaseError:
    with pytest.raises(ReleaseError) as caught:
        read(lock, threshold, keys)
    error = caught.value
    assert error.what == f"{NAME} is not signed by enough of lock_signers"
    assert str(error).replace("\n", "").isprintable()
    return error


# Enough signatures.


def test_where_nobody_must_sign_no_signature_is_looked_at(lock):
    lock.with_name(f"{NAME}.sig").write_text("no signature")
    assert signers.read(None) is None
    assert lock_reader.read(lock, None) == lock_reader.read(lock)


@pytest.mark.parametrize("name", ["", ".alice", ".Alice Example", ".2026"])
def test_one_signer_may_call_the_file_as_they_like(lock, name):
    sign(lock, ALICE, name)
    read(lock, 1)


def test_signatures_by_ssh_hardware_and_minisign_count_alike(lock):
    sign(lock, ALICE, ".alice")
    sign(lock, BOB, ".bob")
    sign_as_carol(lock)
    read(lock, 3)


def test_without_a_threshold_all_must_have_signed(lock):
    sign(lock, ALICE, ".alice")
    sign(lock, BOB, ".bob")
    assert refused(lock, None).expected == "3 of alice, bob, carol"
    sign_as_carol(lock)
    read(lock, None)


def test_an_outdated_signature_and_one_of_a_stranger_do_no_harm(lock):
    sign(lock, ALICE, ".alice")
    sign(lock, BOB, ".bob")
    sign_as_carol(lock, "the lock file of yesterday")
    sign(lock, MALLORY, ".mallory")
    lock.with_name(f"{NAME}.note.sig").write_text("a note")
    lock.with_name(f"{NAME}.folder.sig").mkdir()
    read(lock, 2)


# Too few.


def test_an_unsigned_lock_file_is_refused_with_how_to_sign_it(lock):
    error = refused(lock)
    assert error.expected == "2 of alice, bob, carol"
    assert error.found == f"no file {NAME}.*.sig or {NAME}.*.minisig beside it"
    assert f"ssh-keygen -Y sign -n pinned.release -f KEY {NAME}" in error.fix


def test_two_signatures_by_one_key_count_once(lock):
    sign(lock, ALICE, ".alice")
    sign(lock, ALICE, ".bob")
    assert refused(lock).found == "it is signed by alice"


def test_a_stranger_does_not_count_whatever_the_file_is_called(lock):
    sign(lock, ALICE, ".alice")
    sign(lock, MALLORY, ".bob")
    assert refused(lock).found == f"it is signed by alice; {NAME}.bob.sig is by a key that is not among lock_signers"


@pytest.mark.parametrize("change", [lambda text: text.replace("1", "2", 1), lambda text: text + "\n", lambda text: ""])
def test_a_changed_lock_file_is_refused_before_it_is_read(lock, change):
    sign(lock, ALICE, ".alice")
    sign_as_carol(lock)
    read(lock)
    lock.write_text(change(TEXT))
    error = refused(lock)
    assert f"{NAME}.alice.sig is not a signature of the bytes of {NAME}" in error.found
    assert f"{NAME}.carol.minisig is a signature of other bytes than those of {NAME}" in error.found


@pytest.mark.parametrize("namespace", [b"file", b"git", b""])
def test_a_signature_that_was_made_for_something_else_does_not_count(lock, namespace):
    sign(lock, ALICE, ".alice", namespace=namespace)
    assert refused(lock, 1).found == f"{NAME}.alice.sig is a signature for another purpose"


@pytest.mark.parametrize("name", [f"{NAME}.alice.minisig", f"{NAME}.alice.asc", f"{NAME}alice.sig", "releases.sig"])
def test_a_file_with_another_name_is_no_signature(lock, name):
    lock.with_name(name).write_bytes(ALICE.sign(TEXT.encode(), b"pinned.release"))
    refused(lock, 1)


def test_a_pipe_beside_the_lock_file_is_not_waited_for(lock):
    os.mkfifo(lock.with_name(f"{NAME}.alice.sig"))
    refused(lock, 1)


def test_more_files_than_anybody_signs_are_refused(lock):
    for number in range(signers.MOST_FILES + 1):
        lock.with_name(f"{NAME}.{number}.sig").touch()
    with pytest.raises(ReleaseError, match="too many signatures"):
        read(lock, 1)


@given(st.binary(max_size=200), st.sampled_from([".sig", ".minisig"]))
def test_no_bytes_raise_anything_but_the_one_error(tmp_path_factory, content, suffix):
    lock = tmp_path_factory.mktemp("lock") / NAME
    lock.write_text(TEXT)
    lock.with_name(f"{NAME}{suffix}").write_bytes(content)
    assert refused(lock, 1).found.startswith(f"{NAME}{suffix} is ")


# The option.


@pytest.mark.parametrize("key", [ALICE.public, f"{ALICE.public}  alice@example.org at work", BOB.public, CAROL.public])
def test_a_key_may_stand_as_in_its_file(key):
    assert signers.read({"keys": [key]}).threshold == 1


@pytest.mark.parametrize(
    ("given_", "way", "expected"),
    [
        ("alice", "the top", "a mapping with keys, threshold"),
        ({}, "the top", "the key keys"),
        ({"keys": []}, "keys", "a list of public keys"),
        ({"keys": "alice"}, "keys", "a list of public keys"),
        ({"keys": [1]}, "keys[0]", "a line of text"),
        ({"keys": [" "]}, "keys[0]", "a public key of SSH or minisign"),
        ({"keys": ["alice"]}, "keys[0]", "a public key of SSH or minisign"),
        ({"keys": [CAROL.public[:-1]]}, "keys[0]", "a public key of SSH or minisign"),
        ({"keys": [f"alice {ALICE.public}"]}, "keys[0]", "a public key of SSH or minisign"),
        ({"keys": KEYS, "threshold": 0}, "threshold", "a whole number from 1"),
        ({"keys": KEYS, "threshold": 4}, "threshold", "at most 3"),
        ({"keys": KEYS, "threshold": "2"}, "threshold", "a whole number"),
        ({"keys": KEYS, "treshold": 2}, "treshold", "one of keys, threshold"),
        ({"keys": [*KEYS, f"{ALICE.public} bob"]}, "keys[3]", "each key once"),
    ],
)
def test_what_does_not_fit_is_refused_with_where_it_stands(given_, way, expected):
    with pytest.raises(ReleaseError) as caught:
        signers.read(given_)
    assert f"lock_signers is not valid at {way}" in caught.value.what
    assert expected in caught.value.expected
    assert "ansible-doc pinned.release.tools" in caught.value.fix


def test_a_key_that_stands_there_in_two_ways_is_one_key():
    """Base64 has bits at its end that mean nothing, and a key of minisign a name that anybody may choose."""
    digit = BOB.public[-2]
    other = BOB.public[:-2] + chr(ord(digit) + 1) + "="
    for keys in ([BOB.public, other], [CAROL.public, SigningKey("carol", key_id=bytes(8)).public]):
        assert keys[0] != keys[1]
        with pytest.raises(ReleaseError) as caught:
            signers.read({"keys": keys})
        assert caught.value.expected == "each key once"


# What the guide says.


def guide() -> str:
    return (TOP / "docs" / "guide" / "signing.md").read_text(encoding="utf-8")


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="needs the program ssh-keygen")
@pytest.mark.skipif(shutil.which("minisign") is None, reason="needs the program minisign")
def test_the_commands_of_the_guide_make_signatures_that_count(lock):
    def run(command: str) -> None:
        environment = {"HOME": str(lock.parent), "PATH": os.environ["PATH"]}
        command = command.replace("~", str(lock.parent))  # ssh-keygen's home is that of the account
        subprocess.run(["sh", "-ec", command], cwd=lock.parent, env=environment, capture_output=True, check=True)

    run("mkdir .ssh; ssh-keygen -q -t ed25519 -N '' -f .ssh/id_ed25519; minisign -G -W -p carol.pub -s carol.key")
    commands = re.findall(r"^\$ (.*)$", guide(), re.MULTILINE)
    assert len(commands) == 3
    for command in commands:
        run(command)
    keys = [
        (lock.parent / ".ssh/id_ed25519.pub").read_text().strip(),
        (lock.parent / "carol.pub").read_text().split()[-1],
    ]
    read(lock, None, keys)
    lock.write_text(TEXT.replace("1", "2", 1))
    refused(lock, 1, keys)


def test_the_error_in_the_guide_is_the_one_that_is_printed(lock):
    [task] = [yaml.safe_load(block)[0] for block in re.findall(r"```yaml\n(.*?)```", guide(), re.DOTALL)]
    assert signers.read(task["pinned.release.tools"]["lock_signers"]).threshold == 2
    sign(lock, ALICE, ".alice")
    sign_as_carol(lock, "the lock file of yesterday")
    assert str(refused(lock)) in guide()
