# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cosign's signatures by a key: those that the real program made, those that openssl makes, and those that fail."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._signature import Signed, cosign
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.signed_files import refused, signed
from cryptography.hazmat.primitives.asymmetric import ec, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

#: Made with cosign 3.1.1 of Debian, by keys of openssl's that cosign imported.
RECORDED = Path(__file__).parents[3] / "fixtures" / "cosign"
CONTENT = (RECORDED / "tool").read_bytes()
KINDS = ("p256", "rsa", "ed25519")


def key(kind: str) -> str:
    return (RECORDED / f"{kind}.pub").read_text()


def recorded(kind: str, content: bytes = CONTENT) -> Signed:
    return signed(content, (RECORDED / f"tool.{kind}.sig").read_bytes(), "tool")


# Signatures that hold.


@pytest.mark.parametrize("kind", KINDS)
def test_a_recorded_signature_names_its_key_by_the_digest(kind):
    der = base64.b64decode("".join(key(kind).splitlines()[1:-1]))
    assert cosign.verify(recorded(kind), key(kind)).name == f"sha256:{hashlib.sha256(der).hexdigest()}"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("change", [lambda text: text + b"\n", lambda text: text + b"\r\n"])
def test_an_end_of_line_changes_nothing(kind, change):
    of = recorded(kind)
    assert cosign.verify(replace(of, signature=change(of.signature)), key(kind))


@pytest.mark.parametrize("kind", ["p256", "rsa"])
def test_years_later_the_digest_of_the_file_is_enough(kind):
    def open_file():
        raise AssertionError("the file is read")

    assert cosign.verify(replace(recorded(kind), open_file=open_file), key(kind))


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the program openssl")
def test_what_openssl_signs_is_verified(tmp_path):
    def openssl(*words: str) -> bytes:
        return subprocess.run(["openssl", *words], cwd=tmp_path, capture_output=True, check=True).stdout

    (tmp_path / "tool").write_bytes(CONTENT)
    openssl("ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", "key.pem")
    public = openssl("ec", "-in", "key.pem", "-pubout").decode()
    made = base64.b64encode(openssl("dgst", "-sha256", "-sign", "key.pem", "tool"))
    assert cosign.verify(signed(CONTENT, made), public)


@pytest.mark.skipif(shutil.which("cosign") is None, reason="needs the program cosign")
def test_what_the_real_program_signs_is_verified(tmp_path):
    def run(*words: str) -> None:
        environment = {**os.environ, "COSIGN_PASSWORD": ""}
        subprocess.run(["cosign", *words], cwd=tmp_path, env=environment, capture_output=True, check=True)

    (tmp_path / "tool").write_bytes(CONTENT)
    run("generate-key-pair")
    offline = ("--yes", "--tlog-upload=false", "--use-signing-config=false", "--new-bundle-format=false")
    run("sign-blob", *offline, "--key", "cosign.key", "--output-signature", "tool.sig", "tool")
    public, made = (tmp_path / "cosign.pub").read_text(), (tmp_path / "tool.sig").read_bytes()
    assert cosign.verify(signed(CONTENT, made), public)
    assert "is not a signature of the bytes" in refused(lambda: cosign.verify(signed(b"other", made), public)).what


# Signatures that do not.


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("content", [CONTENT + b"!", b"", b"another file"])
def test_other_bytes_are_refused(kind, content):
    error = refused(lambda: cosign.verify(recorded(kind, content), key(kind)))
    assert error.what == "tool.sig is not a signature of the bytes of tool"
    assert hashlib.sha256(content).hexdigest() in error.found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("other", KINDS)
def test_another_key_is_refused(kind, other):
    if kind != other:
        error = refused(lambda: cosign.verify(recorded(kind), key(other)))
        assert error.what == "tool.sig is not a signature of the bytes of tool"
        assert "the key sha256:" in error.expected


@pytest.mark.parametrize(
    "signature",
    [
        b"",
        b"<!DOCTYPE html>",
        base64.b64decode((RECORDED / "tool.p256.sig").read_bytes()),
        b"\xef\xbb\xbf" + (RECORDED / "tool.p256.sig").read_bytes(),
        b"AAAAA",
        b"AAA=AAA=",
        b'{"base64Signature": "AAAA"}',
        (RECORDED / "tool.p256.sig").read_bytes()[:50] + b"\n" + (RECORDED / "tool.p256.sig").read_bytes()[50:],
        b"A" * 65540,
    ],
)
def test_what_is_no_signature_of_cosign_is_refused(signature):
    error = refused(lambda: cosign.verify(signed(CONTENT, signature, "tool"), key("p256")))
    assert error.what == "tool.sig is not a signature of cosign sign-blob"


@pytest.mark.parametrize("kind", KINDS)
@given(st.binary(max_size=200), st.integers(0, 2000), st.integers(0, 7))
@settings(max_examples=50)
def test_no_bytes_raise_anything_but_the_one_error(kind, content, place, bit):
    changed = bytearray(base64.b64decode(recorded(kind).signature))
    changed[place % len(changed)] ^= 1 << bit
    for signature in (content, base64.b64encode(content), base64.b64encode(changed)):
        with pytest.raises(ReleaseError):
            cosign.verify(signed(CONTENT, signature), key(kind))


def test_a_file_that_is_too_large_to_be_read_at_once_is_refused(monkeypatch):
    monkeypatch.setattr(cosign, "ED25519_LIMIT_BYTES", len(CONTENT) - 1)
    with pytest.raises(ReleaseError, match="too large for a signature by an Ed25519 key"):
        cosign.verify(recorded("ed25519"), key("ed25519"))
    monkeypatch.setattr(cosign, "ED25519_LIMIT_BYTES", len(CONTENT))
    assert cosign.verify(recorded("ed25519"), key("ed25519"))


# Keys.


@pytest.mark.parametrize("kind", KINDS)
def test_the_content_of_cosign_pub_is_a_key(kind):
    cosign.check_key(key(kind))
    cosign.check_key(key(kind).rstrip("\n"))


def pem(public) -> str:
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no such block"),
        ("cosign.pub", "no such block"),
        (key("p256") + key("rsa"), "no such block"),
        (key("p256").replace("PUBLIC", "PRIVATE"), "no such block"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "no key"),
        (pem(ec.derive_private_key(5, ec.SECP384R1()).public_key()), "another kind of key, of 384 bits"),
        (pem(rsa.RSAPublicNumbers(65537, (1 << 1023) + 1).public_key()), "another kind of key, of 1024 bits"),
        (pem(x25519.X25519PrivateKey.from_private_bytes(bytes(32)).public_key()), "another kind of key"),
    ],
)
def test_other_texts_and_keys_are_not_usable(text, why):
    error = refused(lambda: cosign.check_key(text))
    assert error.what.startswith("this is not a usable public key of cosign: ")
    assert why in error.what


@given(st.binary(max_size=200))
def test_no_text_as_a_key_raises_anything_but_the_one_error(content):
    text = f"-----BEGIN PUBLIC KEY-----\n{base64.encodebytes(content).decode()}-----END PUBLIC KEY-----\n"
    with pytest.raises(ReleaseError):
        cosign.check_key(text)
