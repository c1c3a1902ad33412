# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SSH signatures: those that ssh-keygen makes, those that hardware makes, and those that it never would."""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._signature import ssh, ssh_keys
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.signed_files import (
    CONTENT,
    NAME,
    refused,
    signed,
)
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.ssh_signing import (
    SshKey,
    SshTokenKey,
    armored,
    number,
    string,
)
from hypothesis import given, settings
from hypothesis import strategies as st

KEY, OTHER = SshKey("publisher"), SshKey("somebody")
TOKEN, OLD_TOKEN = SshKey("token", is_hardware=True), SshTokenKey("token")
GOOD = KEY.sign(CONTENT)
KINDS = ("ed25519", "rsa", "ecdsa-256", "ecdsa-384", "ecdsa-521")

real = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="needs the program ssh-keygen")


def run(folder: Path, *words: str, content: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["ssh-keygen", *words], cwd=folder, input=content, capture_output=True, check=False)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a key of each kind, made by the real program."""
    folder = tmp_path_factory.mktemp("keys")
    for kind in KINDS:
        name, _hyphen, bits = kind.partition("-")
        made = run(folder, "-q", "-t", name, *(["-b", bits] if bits else []), "-N", "", "-f", kind)
        assert made.returncode == 0, made.stderr
    return folder


def public(folder: Path, kind: str) -> str:
    return " ".join((folder / f"{kind}.pub").read_text().split()[:2])


# Signatures that hold.


@real
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("content", [b"", CONTENT, bytes(3_000_000)])
@pytest.mark.parametrize("options", [(), ("-O", "hashalg=sha256")])
def test_what_the_real_program_signs_is_verified(keys, tmp_path, kind, content, options):
    (tmp_path / NAME).write_bytes(content)
    made = run(tmp_path, "-Y", "sign", "-n", "file", *options, "-f", str(keys / kind), NAME)
    assert made.returncode == 0, made.stderr
    of = signed(content, (tmp_path / f"{NAME}.sig").read_bytes())
    signer = ssh.verify(of, public(keys, kind))
    assert signer.name in run(keys, "-l", "-f", f"{kind}.pub").stdout.decode().split()
    changed = signed(content + b"!", of.signature)
    assert "is not a signature of the bytes" in refused(lambda: ssh.verify(changed, public(keys, kind))).what


def judged_by_the_real_program(folder: Path, content: bytes, signature: bytes, key: str) -> bool:
    (folder / "signers").write_text(f"publisher {key}\n")
    (folder / "signature").write_bytes(signature)
    words = ("-Y", "verify", "-f", "signers", "-I", "publisher", "-n", "file", "-s", "signature")
    return run(folder, *words, content=content).returncode == 0


def judged_by_us(content: bytes, signature: bytes, key: str) -> bool:
    try:
        ssh.verify(signed(content, signature), key)
    except ReleaseError:
        return False
    return True


@real
@pytest.mark.parametrize("key", [KEY, TOKEN, OLD_TOKEN], ids=["software", "token", "old token"])
@pytest.mark.parametrize(
    ("is_right", "made"),
    [
        (True, lambda key: key.sign(CONTENT)),
        (True, lambda key: key.sign(CONTENT, hash_name="sha256")),
        (False, lambda key: key.sign(CONTENT, hash_name="sha384")),
        (False, lambda key: key.sign(CONTENT, hash_name="sha1")),
        (False, lambda key: key.sign(CONTENT, namespace=b"git")),
        (False, lambda key: key.sign(CONTENT, namespace=b"")),
        (False, lambda key: key.sign(CONTENT, version=2)),
        (False, lambda key: key.sign(CONTENT + b"!")),
        (False, lambda key: OTHER.sign(CONTENT)),
        (False, lambda key: OTHER.sign(CONTENT, key=key)),
        (False, lambda key: key.sign(CONTENT).replace(b"SSH SIG", b"PGP SIG")),
        (True, lambda key: key.sign(CONTENT).rstrip(b"\n") + b"\n"),
        (False, lambda key: key.sign(CONTENT)[:-60]),
    ],
)
def test_the_real_program_judges_as_we_do(tmp_path, key, made, is_right):
    signature = made(key)
    assert judged_by_the_real_program(tmp_path, CONTENT, signature, key.public) is is_right
    assert judged_by_us(CONTENT, signature, key.public) is is_right


@pytest.mark.parametrize("key", [KEY, TOKEN, OLD_TOKEN], ids=["software", "token", "old token"])
def test_a_signature_names_its_key_as_ssh_keygen_does(key):
    digest = base64.b64encode(hashlib.sha256(key.blob).digest()).decode().rstrip("=")
    assert ssh.verify(signed(CONTENT, key.sign(CONTENT)), key.public).name == f"SHA256:{digest}"


def test_a_signature_may_be_made_for_another_purpose_if_that_is_pinned():
    of = signed(CONTENT, KEY.sign(CONTENT, namespace=b"git"))
    assert ssh.verify(of, KEY.public, namespace="git")
    error = refused(lambda: ssh.verify(of, KEY.public))
    assert error.what == f"{NAME}.sig is a signature for another purpose"
    assert (error.expected, error.found) == ('the namespace "file"', 'the namespace "git"')


def test_other_ends_of_lines_change_nothing():
    assert ssh.verify(signed(CONTENT, GOOD.replace(b"\n", b"\r\n")), KEY.public)


# Signatures that do not.


def test_another_key_is_refused_with_both():
    error = refused(lambda: ssh.verify(signed(CONTENT, OTHER.sign(CONTENT)), KEY.public))
    assert error.what == f"{NAME} is signed with another key than the pinned one"
    assert error.expected == f"the key {ssh_keys.fingerprint(KEY.blob)} (ssh-ed25519)"
    assert error.found == f"the key {ssh_keys.fingerprint(OTHER.blob)} in {NAME}.sig"
    assert "only then pin the new one" in error.fix


def test_a_token_of_another_kind_with_the_same_numbers_is_another_key():
    software = SshKey("token")
    assert "another key" in refused(lambda: ssh.verify(signed(CONTENT, software.sign(CONTENT)), TOKEN.public)).what


@pytest.mark.parametrize("content", [CONTENT + b"!", b"", b"another file"])
def test_other_bytes_are_refused(content):
    error = refused(lambda: ssh.verify(signed(content, GOOD), KEY.public))
    assert error.what == f"{NAME}.sig is not a signature of the bytes of {NAME}"
    assert hashlib.sha256(content).hexdigest() in error.found


def test_a_key_that_only_calls_itself_the_pinned_one_is_refused():
    forged = signed(CONTENT, OTHER.sign(CONTENT, key=KEY))
    assert "is not a signature of the bytes" in refused(lambda: ssh.verify(forged, KEY.public)).what


BLOB = base64.b64decode(b"".join(GOOD.splitlines()[1:-1]))


@pytest.mark.parametrize(
    ("signature", "found"),
    [
        (b"", '""'),
        (b"<!DOCTYPE html>\n", "DOCTYPE"),
        (b"\xef\xbb\xbf" + GOOD, "BEGIN SSH SIGNATURE"),
        (b"-----BEGIN SSH SIGNATURE-----\n-----END SSH SIGNATURE-----\n", "BEGIN SSH"),
        (b"-----BEGIN SSH SIGNATURE-----\nAAA\n-----END SSH SIGNATURE-----\n", "padding"),
        (GOOD + b"more\n", "BEGIN SSH"),
        (GOOD + GOOD, "BEGIN SSH"),
        (armored(BLOB[:-1]), "ends too early"),
        (armored(BLOB + b"\0"), "more after its end"),
        (armored(b"sshsig" + BLOB[6:]), "not of version 1"),
        (KEY.sign(CONTENT, version=0), "not of version 1"),
        (KEY.sign(CONTENT, hash_name="md5"), 'of the digest "md5"'),
        (armored(b"SSHSIG" + (1).to_bytes(4, "big") + b"\xff\xff\xff\xff"), "ends too early"),
        (b"x" * 65537, "65537 bytes"),
    ],
)
def test_what_is_no_signature_file_is_refused_with_what_one_looks_like(signature, found):
    error = refused(lambda: ssh.verify(signed(CONTENT, signature), KEY.public))
    assert error.what == f"{NAME}.sig is not an SSH signature"
    assert found in error.found


def with_made(made: bytes, key: SshKey) -> bytes:
    return armored(b"".join((b"SSHSIG\0\0\0\1", *map(string, (key.blob, b"file", b"", b"sha512", made)))))


@pytest.mark.parametrize(
    ("key", "made", "found"),
    [
        (KEY, string(b"ssh-rsa") + string(bytes(64)), 'made with "ssh-rsa", not with ssh-ed25519'),
        (KEY, string(b"ssh-ed25519") + string(bytes(64)) + b"\0", "more after its end"),
        (TOKEN, string(TOKEN.name.encode()) + string(bytes(64)) + b"\1", "ends too early"),
        (OLD_TOKEN, string(OLD_TOKEN.name.encode()) + string(string(b"\xff")) + bytes(5), "negative"),
        (OLD_TOKEN, string(OLD_TOKEN.name.encode()) + string(number(1)) + bytes(5), "ends too early"),
        (OLD_TOKEN, string(OLD_TOKEN.name.encode()) + string(number(1) * 3) + bytes(5), "more after its end"),
    ],
)
def test_a_signature_that_such_a_key_does_not_make_is_refused(key, made, found):
    error = refused(lambda: ssh.verify(signed(CONTENT, with_made(made, key)), key.public))
    assert error.what.startswith(f"{NAME}.sig is not a signature by the key SHA256:")
    assert found in error.found


@real
def test_rsa_over_sha1_is_refused(keys):
    key = ssh_keys.read(public(keys, "rsa"))
    assert key.algorithms == ("rsa-sha2-256", "rsa-sha2-512")
    made = string(b"ssh-rsa") + string(bytes(256))
    signature = armored(b"".join((b"SSHSIG\0\0\0\1", *map(string, (key.blob, b"file", b"", b"sha512", made)))))
    assert "not with rsa-sha2-256" in refused(lambda: ssh.verify(signed(CONTENT, signature), public(keys, "rsa"))).found


@given(st.integers(0, len(BLOB) - 1), st.integers(0, 7))
@settings(max_examples=200)
def test_a_signature_with_any_bit_changed_is_refused(place, bit):
    changed = bytearray(BLOB)
    changed[place] ^= 1 << bit
    with pytest.raises(ReleaseError):
        ssh.verify(signed(CONTENT, armored(bytes(changed))), KEY.public)


_parts = st.lists(
    st.sampled_from(
        [
            KEY.blob,
            TOKEN.blob,
            OLD_TOKEN.blob,
            b"file",
            b"",
            b"sha512",
            b"sha256",
            KEY.made(CONTENT),
            OLD_TOKEN.made(b"x"),
        ]
    )
    | st.binary(max_size=80),
    min_size=3,
    max_size=6,
).map(lambda parts: armored(b"SSHSIG\0\0\0\1" + b"".join(map(string, parts))))


@given(
    st.binary(max_size=300) | st.binary(max_size=300).map(armored) | _parts, st.sampled_from([KEY, TOKEN, OLD_TOKEN])
)
def test_no_bytes_raise_anything_but_the_one_error(signature, key):
    with pytest.raises(ReleaseError):
        ssh.verify(signed(CONTENT, signature), key.public)


@given(st.sampled_from([KEY, TOKEN, OLD_TOKEN]), st.binary(max_size=100))
def test_no_signature_of_a_pinned_key_raises_anything_but_the_one_error(key, made):
    for content in (
        made,
        string(key.name.encode()) + string(made),
        string(key.name.encode()) + string(made) + bytes(5),
    ):
        with pytest.raises(ReleaseError):
            ssh.verify(signed(CONTENT, with_made(content, key)), key.public)


# Keys.


@real
@pytest.mark.parametrize("kind", KINDS)
def test_the_first_two_words_of_a_key_file_are_a_key(keys, kind):
    ssh.check_key(public(keys, kind))


@pytest.mark.parametrize("key", [KEY, TOKEN, OLD_TOKEN], ids=["software", "token", "old token"])
def test_keys_in_hardware_are_keys(key):
    ssh.check_key(key.public)


def line(name: str, *parts: bytes) -> str:
    return f"{name} {base64.b64encode(b''.join((string(name.encode()), *parts))).decode()}"


@pytest.mark.parametrize(
    "key",
    [
        "",
        "ssh-ed25519",
        KEY.public.split()[1],
        f"{KEY.public} somebody@example.org",
        f"{KEY.public}\n",
        f"publisher {KEY.public}",
        KEY.public.replace("ssh-ed25519", "ssh-dss", 1),
        KEY.public.replace("ssh-ed25519", "ssh-ed25519-cert-v01@openssh.com", 1),
        "RWSGOq2NVecA2UPNdBUZykf1CCb147pkmdtYxgb3Ti+JO/wCYvhbAb/U",
    ],
)
def test_other_texts_are_no_keys(key):
    error = refused(lambda: ssh.check_key(key))
    assert error.what == "this is not a public key of SSH"
    assert "the first two words of the .pub file, and no third" in error.expected


@pytest.mark.parametrize(
    ("key", "why"),
    [
        (KEY.public[:-2], "padding"),
        (KEY.public.replace("ssh-ed25519", "ssh-rsa", 1), "another kind"),
        (line("ssh-ed25519", string(bytes(31))), "31 bytes, not 32"),
        (line("ssh-ed25519", string(bytes(32)), b"\0"), "more after its end"),
        (line("ecdsa-sha2-nistp256", string(b"nistp384"), string(bytes(65))), "another kind"),
        (line("ecdsa-sha2-nistp256", string(b"nistp256"), string(b"\2" + bytes(32))), "not written in full"),
        (line("ecdsa-sha2-nistp384", string(b"nistp384"), string(b"\4" + bytes(64))), "not written in full"),
        (line("ssh-rsa", number(65537), number(1 << 1023)), "1024 bits, not 2048 to 16384"),
        (line("ssh-rsa", number(65537), number(1 << 16384)), "16385 bits"),
        (line("ssh-rsa", string(b"\xff"), number(1 << 2047)), "negative"),
        (line("sk-ssh-ed25519@openssh.com", string(bytes(32))), "ends too early"),
    ],
)
def test_damaged_and_weak_keys_are_refused_with_the_reason(key, why):
    with pytest.raises(ReleaseError, match="not a usable") as caught:
        ssh.check_key(key)
    assert why in caught.value.what


def test_a_key_that_is_no_point_of_its_curve_verifies_nothing():
    bad = line("ecdsa-sha2-nistp256", string(b"nistp256"), string(b"\4" + bytes(64)))
    blob = base64.b64decode(bad.split()[1])
    made = string(b"ecdsa-sha2-nistp256") + string(number(1) + number(1))
    signature = armored(b"".join((b"SSHSIG\0\0\0\1", *map(string, (blob, b"file", b"", b"sha512", made)))))
    refused(lambda: ssh.verify(signed(CONTENT, signature), bad))


@given(st.text(max_size=100) | st.binary(max_size=100).map(lambda rest: line("ssh-ed25519", rest)))
def test_no_text_as_a_key_raises_anything_but_the_one_error(key):
    with pytest.raises(ReleaseError):
        ssh.verify(signed(CONTENT, GOOD), key)
