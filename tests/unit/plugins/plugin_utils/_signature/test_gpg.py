# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenPGP signatures: those that the real gpg makes, and those that are refused, as gpgv judges them."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._signature import Signed, gpg, openpgp
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.gpg_home import GpgHome
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.signed_files import (
    CONTENT,
    NAME,
    refused,
    signed,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

TOP = Path(__file__).resolve().parents[5]
HASHICORP = TOP.parent / "shared" / "field" / "data" / "hashicorp"
LONG_AGO = ("--faked-system-time", "20200101T000000")

pytestmark = pytest.mark.skipif(
    shutil.which("gpg") is None or shutil.which("gpgv") is None, reason="needs the programs gpg and gpgv"
)


@pytest.fixture(scope="module")
def home():
    """Return keys of several people. The folder has a short path: gpg puts a socket into it."""
    with tempfile.TemporaryDirectory(prefix="gpg") as name:
        made = GpgHome(Path(name))
        try:
            yield made
        finally:
            made.stop()


@pytest.fixture(scope="module")
def keys(home):
    """Return the fingerprints of the publisher, whose subkey signs, and of somebody else."""
    publisher = home.key("publisher")
    home.run("--quick-add-key", publisher, "ed25519", "sign", "never")
    return SimpleNamespace(publisher=publisher, subkey=home.fingerprints("publisher")[1], somebody=home.key("somebody"))


def detached(home: GpgHome, by: str, *options: str, content: bytes = CONTENT) -> Signed:
    """Return *content* with a signature by a key; ``!`` after its fingerprint is gpg's word for this very one."""
    return signed(content, home.run(*options, "--local-user", f"{by}!", "--detach-sign", content=content))


def clear_signed(home: GpgHome, by: str, text: bytes) -> bytes:
    return home.run("--local-user", f"{by}!", "--clear-sign", content=text)


def named(signature: bytes) -> Signed:
    return signed(b"", signature, "SHASUMS256.txt", ".asc")


# Signatures that hold.


@pytest.mark.parametrize("options", [(), ("--armor",)])
@pytest.mark.parametrize("content", [b"", CONTENT, bytes(3_000_000)])
def test_what_gpg_signs_is_verified_armored_and_not(home, keys, options, content):
    of = detached(home, keys.publisher, *options, content=content)
    signer = gpg.verify(of, keys.publisher, home.public("publisher"))
    assert signer.name == keys.publisher
    assert signer.statement.startswith("timestamp:20")


def test_the_key_may_be_armored_and_its_subkey_may_sign(home, keys):
    material = home.run("--armor", "--export", "publisher")
    assert gpg.verify(detached(home, keys.subkey), keys.publisher, material).name == keys.publisher


def test_a_file_on_disk_is_verified_as_one_in_memory(home, keys, tmp_path):
    of = detached(home, keys.publisher)
    (tmp_path / NAME).write_bytes(CONTENT)
    on_disk = replace(of, open_file=lambda: (tmp_path / NAME).open("rb"))
    assert gpg.verify(on_disk, keys.publisher, home.public("publisher"))
    (tmp_path / NAME).write_bytes(CONTENT + b"!")
    refused(lambda: gpg.verify(on_disk, keys.publisher, home.public("publisher")))


def test_of_several_signatures_one_by_the_pinned_key_is_enough(home, keys):
    both = detached(home, keys.somebody).signature + detached(home, keys.publisher).signature
    for fingerprint, name in ((keys.publisher, "publisher"), (keys.somebody, "somebody")):
        assert gpg.verify(signed(CONTENT, both), fingerprint, home.public(name)).name == fingerprint


def test_text_around_an_armored_signature_is_not_read(home, keys):
    of = detached(home, keys.publisher, "--armor")
    assert gpg.verify(signed(CONTENT, b"hello\n" + of.signature + b"bye\n"), keys.publisher, home.public("publisher"))


@pytest.mark.skipif(not HASHICORP.is_dir(), reason="needs ../shared/field/data beside the clone")
def test_a_real_publishers_signed_sums_are_verified():
    sums = (HASHICORP / "terraform_0.14.11_SHA256SUMS").read_bytes()
    signature = (HASHICORP / "terraform_0.14.11_SHA256SUMS.sig").read_bytes()
    fingerprint, material = "719106194588D5BF6D670723B5EEA6B02FCA0A85", (HASHICORP / "2FCA0A85.pub").read_bytes()
    signer = gpg.verify(signed(sums, signature), fingerprint, material)
    assert (signer.name, signer.statement) == (fingerprint, "timestamp:2023-05-10T13:31:16Z")
    changed = sums.replace(b"terraform_0.14.11_linux", b"terraform_0.14.11_Linux")
    refused(lambda: gpg.verify(signed(changed, signature), fingerprint, material))


# Clear-signed texts.


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"0123  tool.tar.gz\n4567  tool.zip\n", b"0123  tool.tar.gz\n4567  tool.zip\n"),
        (b"no end of line", b"no end of line\n"),
        (b"a\r\nb\r\n", b"a\nb\n"),
        (b"blanks \t \n\n\n", b"blanks\n\n\n"),
        (b"- dash\n-----BEGIN PGP SIGNATURE-----\n", b"- dash\n-----BEGIN PGP SIGNATURE-----\n"),
        ("über\n".encode(), "über\n".encode()),
    ],
)
def test_a_clear_signed_text_is_exactly_what_was_signed(home, keys, text, said):
    found = gpg.signed_text(named(clear_signed(home, keys.subkey, text)), keys.publisher, home.public("publisher"))
    assert found.content == said
    assert found.signer.name == keys.publisher


def test_what_stands_outside_of_a_clear_signed_text_is_not_in_it(home, keys):
    made = clear_signed(home, keys.publisher, b"signed\n")
    around = named(b"0000  evil\n" + made + b"1111  evil\n")
    assert gpg.signed_text(around, keys.publisher, home.public("publisher")).content == b"signed\n"


@pytest.mark.parametrize(
    "change",
    [
        lambda made: made.replace(b"one", b"One"),
        lambda made: made.replace(b"one\n", b"one\nmore\n"),
        lambda made: made.replace(b"one\n", b"one\n\n"),
        lambda made: made.replace(b"\n\none", b"\n\n\none"),
        lambda made: made.replace(b"one\n", b"one\n-----\n"),
        lambda made: made.replace(b"one\n", b"one\n-two\n"),
        lambda made: made.replace(b"Hash: ", b"0000  evil\nHash: "),
        lambda made: made.replace(b"\n\none", b"\nevil: yes\n\none"),
        lambda made: made.replace(b"SIGNED MESSAGE", b"MESSAGE"),
        lambda made: made + made,
        lambda made: b"-----BEGIN PGP SIGNED MESSAGE-----\n\nevil\n" + made,
        lambda made: made.partition(b"-----BEGIN PGP SIGNATURE")[0],
        lambda made: b"",
    ],
)
def test_a_changed_clear_signed_text_is_refused(home, keys, change):
    made = clear_signed(home, keys.publisher, b"one\n")
    error = refused(lambda: gpg.signed_text(named(change(made)), keys.publisher, home.public("publisher")))
    assert "SHASUMS256.txt.asc" in error.what


def test_a_clear_signed_text_by_another_key_is_refused(home, keys):
    made = named(clear_signed(home, keys.somebody, b"one\n"))
    assert "another key" in refused(lambda: gpg.signed_text(made, keys.publisher, home.public("publisher"))).what


def test_a_signature_of_bytes_is_none_of_a_text_and_the_other_way_round(home, keys):
    of_text = clear_signed(home, keys.publisher, b"a\nb\n")
    armor = of_text[of_text.index(b"-----BEGIN PGP SIGNATURE") :]
    # Such a signature would also hold for these bytes, whose ends of lines are others.
    error = refused(lambda: gpg.verify(signed(b"a\r\nb", armor), keys.publisher, home.public("publisher")))
    assert error.what == f"{NAME}.sig is not a signature of the bytes of a file"
    of_bytes = detached(home, keys.publisher, "--armor", content=b"a\r\nb").signature
    text = b"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\na\nb\n" + of_bytes
    error = refused(lambda: gpg.signed_text(named(text), keys.publisher, home.public("publisher")))
    assert "not a signature of a text" in error.what


@pytest.mark.parametrize("content", [b"0123  tool\n4567  tool.zip\n", b"0123  tool"])
def test_a_clear_signed_copy_is_a_signature_of_the_file(home, keys, content):
    of = signed(content, clear_signed(home, keys.subkey, content), "SHASUMS256.txt", ".asc")
    assert gpg.verify(of, keys.publisher, home.public("publisher")).name == keys.publisher
    assert "another key" in refused(lambda: gpg.verify(of, keys.somebody, home.public("somebody"))).what


@pytest.mark.parametrize(
    "content", [b"0123  tool\nmore\n", b"0123  tool\n\n", b"0123  tool \n", b"0123  tool\r\n", b"0123  too", b""]
)
def test_a_clear_signed_copy_is_no_signature_of_a_file_that_says_anything_else(home, keys, content):
    of = signed(content, clear_signed(home, keys.publisher, b"0123  tool\n"), "SHASUMS256.txt", ".asc")
    error = refused(lambda: gpg.verify(of, keys.publisher, home.public("publisher")))
    assert error.what == "SHASUMS256.txt.asc is not a signature of the bytes of SHASUMS256.txt"


def test_a_clear_signed_text_that_is_too_large_is_refused(home, keys):
    large = named(bytes(gpg.TEXT_LIMIT_BYTES + 1))
    assert "4194305 bytes" in refused(lambda: gpg.signed_text(large, keys.publisher, home.public("publisher"))).found


# Signatures that do not hold.


@pytest.mark.parametrize("content", [CONTENT + b"!", b"", b"another file"])
def test_other_bytes_are_refused(home, keys, content):
    of = signed(content, detached(home, keys.publisher).signature)
    error = refused(lambda: gpg.verify(of, keys.publisher, home.public("publisher")))
    assert error.what == f"{NAME}.sig is not a signature of the bytes of {NAME}"
    assert hashlib.sha256(content).hexdigest() in error.found


def test_another_key_is_refused_with_both(home, keys):
    of = detached(home, keys.somebody)
    error = refused(lambda: gpg.verify(of, keys.publisher, home.public("publisher")))
    assert error.what == f"{NAME} is signed with another key than the pinned one"
    assert error.expected == f"the key {keys.publisher}"
    assert keys.somebody[-16:] in error.found


def test_a_second_key_in_the_key_file_never_counts(home, keys):
    of, both = detached(home, keys.somebody), home.public("somebody", "publisher")
    assert "another key" in refused(lambda: gpg.verify(of, keys.publisher, both)).what
    assert gpg.verify(of, keys.somebody, both).name == keys.somebody


def test_a_subkey_that_the_pinned_key_did_not_bind_never_counts(home, keys):
    """Who writes the key file could put their own subkey behind the publisher's primary key."""
    publisher = list(openpgp.packets(home.public("publisher")))
    home.run("--quick-add-key", keys.somebody, "ed25519", "sign", "never")
    somebody = list(openpgp.packets(home.public("somebody")))
    start = next(index for index, packet in enumerate(somebody) if packet.kind == 14)
    forged = b"".join(packet.whole for packet in publisher + somebody[start:])
    of = detached(home, home.fingerprints("somebody")[1])
    assert gpg.verify(of, keys.somebody, home.public("somebody"))
    refused(lambda: gpg.verify(of, keys.publisher, forged))
    assert gpg.verify(detached(home, keys.publisher), keys.publisher, forged)


def test_a_key_that_has_expired_is_refused_with_its_date(home):
    fingerprint = home.key("expired", *LONG_AGO, expires="1y")
    of = detached(home, fingerprint, *LONG_AGO)
    error = refused(lambda: gpg.verify(of, fingerprint, home.public("expired")))
    assert error.what == f"{NAME}.sig was made by a key that has expired"
    assert error.found.startswith(f"{fingerprint}, until 2020-12-31T")
    assert "newest key file" in error.fix


def test_a_key_that_was_revoked_is_refused(home):
    fingerprint = home.key("revoked")
    of = detached(home, fingerprint)
    assert gpg.verify(of, fingerprint, home.public("revoked"))
    home.revoke(fingerprint)
    error = refused(lambda: gpg.verify(of, fingerprint, home.public("revoked")))
    assert error.what == f"{NAME}.sig was made by a key that was revoked"


def test_a_signature_that_has_expired_is_refused_with_its_date(home):
    fingerprint = home.key("lasting", *LONG_AGO)
    of = detached(home, fingerprint, *LONG_AGO, "--default-sig-expire", "1d")
    error = refused(lambda: gpg.verify(of, fingerprint, home.public("lasting")))
    assert error.what == f"{NAME}.sig has expired"
    assert error.found == "a signature until 2020-01-02T00:00:00Z"


@pytest.mark.parametrize(("digest", "name"), [("SHA1", "SHA-1"), ("MD5", "MD5"), ("RIPEMD160", "RIPEMD-160")])
def test_a_digest_that_can_be_forged_is_refused(home, digest, name):
    if not home.run("--with-colons", "--list-keys").count(b"old@example.org"):
        home.key("old", kind="rsa2048")
    fingerprint = home.fingerprints("old")[0]
    of = detached(home, fingerprint, "--allow-weak-digest-algos", "--digest-algo", digest)
    error = refused(lambda: gpg.verify(of, fingerprint, home.public("old")))
    assert error.what == f"{NAME}.sig was made with a digest that is not believed"
    assert error.found == name
    assert gpg.verify(detached(home, fingerprint), fingerprint, home.public("old"))


def test_a_file_that_holds_more_than_signatures_is_refused(home, keys):
    """gpg would verify the bytes that such a file brings along, and not those that it is asked about."""
    for options in ((), ("--compress-algo", "none"), ("--armor",)):
        inline = home.run(*options, "--local-user", keys.publisher, "--sign", content=b"the bytes in it")
        error = refused(lambda inline=inline: gpg.verify(signed(CONTENT, inline), keys.publisher, b""))
        assert error.what.startswith(f"{NAME}.sig: it ")


@pytest.mark.parametrize(
    ("signature", "what"),
    [
        (b"", "it is not an OpenPGP file"),
        (b"<!DOCTYPE html>\n", "it is not an OpenPGP file"),
        (b"\x88", "it has no packets of OpenPGP"),
        (b"\x88\x05\0", "it has no packets of OpenPGP"),
        (b"\xc2\xff\0\0\1", "it has no packets of OpenPGP"),
        (b"\xc2\xe1\0", "it has no packets of OpenPGP"),
        (b"\x8b\0", "it has no packets of OpenPGP"),
        (b"\xff\0", "it has not only signatures of OpenPGP"),
        (b"-----BEGIN PGP SIGNATURE-----\n\n-----END PGP SIGNATURE-----\n", "it has not only signatures of OpenPGP"),
        (b"-----BEGIN PGP SIGNATURE-----\n\nAAA\n-----END PGP SIGNATURE-----\n", "its armor is broken"),
        (b"-----BEGIN PGP SIGNATURE-----\n\nAA*A\n-----END PGP SIGNATURE-----\n", "its armor is broken"),
        (b"-----BEGIN PGP SIGNATURE-----\n\nAAAA\n-----END PGP MESSAGE-----\n", "it is not an OpenPGP file"),
    ],
)
def test_what_is_no_signature_file_is_refused_with_what_one_looks_like(keys, signature, what):
    error = refused(lambda: gpg.verify(signed(CONTENT, signature), keys.publisher, b""))
    assert error.what == f"{NAME}.sig: {what}"


def test_a_signature_file_that_is_too_large_is_refused(keys):
    error = refused(lambda: gpg.verify(signed(CONTENT, b"\x88" * 65537), keys.publisher, b""))
    assert error.found == "65537 bytes"


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_change_of_a_signature_raises_anything_but_the_one_error(home, keys, data):
    for made in _prepared(home, keys):
        changed = bytearray(made)
        for _change in range(data.draw(st.integers(1, 3))):
            changed[data.draw(st.integers(0, len(made) - 1))] = data.draw(st.integers(0, 255))
        try:
            gpg.verify(signed(CONTENT, bytes(changed)), keys.publisher, home.public("publisher"))
        except ReleaseError:
            continue


_made: list[bytes] = []


def _prepared(home, keys):
    if not _made:
        _made.extend(detached(home, keys.publisher, *options).signature for options in ((), ("--armor",)))
    return _made


likely_armor = st.lists(
    st.sampled_from(
        [
            b"-----BEGIN PGP SIGNED MESSAGE-----",
            b"-----BEGIN PGP SIGNATURE-----",
            b"-----END PGP SIGNATURE-----",
            b"-----BEGIN PGP PUBLIC KEY BLOCK-----",
            b"-----END PGP PUBLIC KEY BLOCK-----",
            b"Hash: SHA512",
            b"",
            b"- -",
            b"iHUE",
            b"mDME",
            b"=AAAA",
        ]
    )
    | st.binary(max_size=20)
).map(b"\n".join)


@given(st.binary(max_size=200) | likely_armor)
@settings(max_examples=500)
def test_no_bytes_raise_anything_but_the_one_error(content):
    for read in (openpgp.signature, openpgp.signed_text, lambda bytes_: openpgp.key(bytes_, "0" * 40)):
        try:
            read(content)
        except ReleaseError:
            continue


# Keys.


@pytest.mark.parametrize(
    "text", ["", "FCA0A85", "B5EEA6B02FCA0A85", "719106194588d5bf6d670723b5eea6b02fca0a85", "0" * 64, "0" * 40 + "\n"]
)
def test_other_texts_are_no_fingerprints(text):
    error = refused(lambda: gpg.check_key(text))
    assert error.what == "this is not the fingerprint of an OpenPGP key"
    gpg.check_key("719106194588D5BF6D670723B5EEA6B02FCA0A85")


def test_a_key_file_without_the_pinned_key_is_refused_with_those_in_it(home, keys):
    with pytest.raises(ReleaseError, match="the pinned OpenPGP key is not in the key file") as caught:
        gpg.verify(detached(home, keys.publisher), keys.publisher, home.public("somebody"))
    assert keys.somebody in caught.value.found


def test_a_key_file_with_the_pinned_key_twice_is_refused(home, keys):
    """Else a revocation in the second would not be seen."""
    with pytest.raises(ReleaseError, match="more than once in the key file"):
        gpg.verify(detached(home, keys.publisher), keys.publisher, home.public("publisher") * 2)


def test_a_secret_key_is_refused(home, keys):
    secret = home.run("--export-secret-keys", "publisher")
    with pytest.raises(ReleaseError, match="it has a secret key") as caught:
        gpg.verify(detached(home, keys.publisher), keys.publisher, secret)
    assert keys.publisher in caught.value.what


def test_a_key_file_without_end_is_refused(home, keys, monkeypatch):
    monkeypatch.setattr(gpg, "MATERIAL_LIMIT_BYTES", 10)
    with pytest.raises(ReleaseError, match="too large"):
        gpg.verify(detached(home, keys.publisher), keys.publisher, home.public("publisher"))


# The program.


def test_without_gpgv_it_is_said_what_to_install(home, keys, monkeypatch):
    of, material = detached(home, keys.publisher), home.public("publisher")
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(ReleaseError, match="gpgv is missing on the controller") as caught:
        gpg.verify(of, keys.publisher, material)
    assert "apt-get install gpgv" in caught.value.fix


def fake_gpgv(folder: Path, script: str) -> None:
    program = folder / "gpgv"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(stat.S_IRWXU)


def test_a_gpgv_that_does_not_end_is_stopped(home, keys, monkeypatch, tmp_path):
    of, material = detached(home, keys.publisher), home.public("publisher")
    fake_gpgv(tmp_path, "exec sleep 60")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(gpg, "TIMEOUT_S", 0.2)
    with pytest.raises(ReleaseError, match="gpgv could not verify a signature") as caught:
        gpg.verify(of, keys.publisher, material)
    assert caught.value.found == "no answer within 0.2 s"


@pytest.mark.parametrize(
    "said",
    ["", "[GNUPG:] GOODSIG 1 a", "[GNUPG:] NEWSIG", "[GNUPG:] NEWSIG\n[GNUPG:] GOODSIG", "[GNUPG:] NEWSIG\n[GNUPG:]"],
)
def test_a_gpgv_that_says_too_little_verifies_nothing(home, keys, monkeypatch, tmp_path, said):
    of, material = detached(home, keys.publisher), home.public("publisher")
    fake_gpgv(tmp_path, f"cat >/dev/null; printf '%s\\n' '{said}'")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    refused(lambda: gpg.verify(of, keys.publisher, material))


def test_nothing_is_left_behind(home, keys, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    gpg.verify(detached(home, keys.publisher), keys.publisher, home.public("publisher"))
    assert list(tmp_path.iterdir()) == []
