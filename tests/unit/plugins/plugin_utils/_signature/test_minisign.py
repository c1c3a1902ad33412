# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""minisign's signatures: those that the real program made, here and earlier, and those that it never would."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._signature import CHUNK_BYTES, Signed, Signer, minisign
from ansible_collections.pinned.release.plugins.plugin_utils._values import libraries
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.minisign_keys import SigningKey
from hypothesis import given, settings
from hypothesis import strategies as st

#: Made with minisign 0.11 of Debian 12.
RECORDED = Path(__file__).parents[3] / "fixtures" / "minisign"
PUBLISHER, SOMEBODY = ((RECORDED / f"{name}.pub").read_text().splitlines()[1] for name in ("publisher", "somebody"))
PROGRAM = "tool-1.0-linux.bin"
KEY = SigningKey("publisher")
CONTENT = b"the bytes of a program"


def signed(content: bytes, signature: bytes, name: str = PROGRAM, version: str = "1.0") -> Signed:
    sha256 = hashlib.sha256(content).hexdigest()
    return Signed(name, version, sha256, lambda: io.BytesIO(content), f"{name}.minisig", signature)


def recorded(name: str, signature: str) -> Signed:
    return signed((RECORDED / name).read_bytes(), (RECORDED / signature).read_bytes(), name)


def refused(of: Signed, key: str = KEY.public) -> ReleaseError:
    with pytest.raises(ReleaseError) as caught:
        minisign.verify(of, key)
    error = caught.value
    assert of.name in error.what
    assert error.expected
    assert error.found
    assert error.fix
    assert str(error).replace("\n", "").isprintable()
    return error


# Signatures that hold.


@pytest.mark.parametrize(
    ("name", "signature", "comment"),
    [
        (PROGRAM, f"{PROGRAM}.minisig", "timestamp:1795892736 file:tool-1.0-linux.bin hashed"),
        (PROGRAM, f"{PROGRAM}.legacy.minisig", "timestamp:1795892736 file:tool-1.0-linux.bin"),
        ("SHA256SUMS", "SHA256SUMS.minisig", "timestamp:1795892736 file:SHA256SUMS hashed"),
        ("empty", "empty.minisig", "timestamp:1795892736 file:empty"),
        ("empty", "empty.comment.minisig", "signed by hand, über  [31m red"),
    ],
)
def test_a_recorded_signature_names_its_key_and_its_trusted_comment(name, signature, comment):
    assert minisign.verify(recorded(name, signature), PUBLISHER) == Signer("842B9701D9C35757", comment)


@pytest.mark.parametrize("algorithm", [b"Ed", b"ED"])
@pytest.mark.parametrize("content", [b"", b"x", CONTENT, bytes(CHUNK_BYTES + 1)])
def test_both_algorithms_are_verified_for_files_of_any_size(algorithm, content):
    assert minisign.verify(signed(content, KEY.sign(content, algorithm=algorithm)), KEY.public).statement == "trusted"


@pytest.mark.parametrize("change", [lambda text: text.replace(b"\n", b"\r\n"), lambda text: text.rstrip(b"\n")])
def test_other_ends_of_lines_change_nothing(change):
    assert minisign.verify(signed(CONTENT, change(KEY.sign(CONTENT))), KEY.public)


def test_the_untrusted_comment_is_not_believed():
    changed = KEY.sign(CONTENT).replace(b"made by a test", b"signed by the queen")
    assert "queen" not in minisign.verify(signed(CONTENT, changed), KEY.public).statement


def test_an_empty_trusted_comment_is_no_statement():
    assert minisign.verify(signed(CONTENT, KEY.sign(CONTENT, b"")), KEY.public).statement == ""


def test_a_trusted_comment_that_is_no_text_is_made_one_line_of_text():
    found = minisign.verify(signed(CONTENT, KEY.sign(CONTENT, b"a\xff\x1b[31m\tb")), KEY.public).statement
    assert found == "a\ufffd [31m b"


# Signatures that do not.


def test_another_key_is_refused_with_both():
    error = refused(recorded(PROGRAM, f"{PROGRAM}.somebody.minisig"), PUBLISHER)
    assert error.what == f"{PROGRAM} is signed with another key than the manifest pins"
    assert error.expected == f"minisign key 842B9701D9C35757 ({PUBLISHER})"
    assert error.found == f"minisign key D64C173C7A006CCC in {PROGRAM}.minisig"
    assert "only then put the new one into verify.minisign" in error.fix
    assert minisign.verify(recorded(PROGRAM, f"{PROGRAM}.somebody.minisig"), SOMEBODY)


@pytest.mark.parametrize("algorithm", [b"Ed", b"ED"])
def test_a_changed_byte_is_refused(algorithm):
    error = refused(signed(CONTENT + b"!", KEY.sign(CONTENT, algorithm=algorithm)))
    assert error.what == f"{PROGRAM}.minisig is a signature of other bytes than those of {PROGRAM}"
    assert hashlib.sha256(CONTENT + b"!").hexdigest() in error.found


def test_a_valid_signature_of_another_file_is_refused_with_what_the_signer_said_of_it():
    other = (RECORDED / "SHA256SUMS.minisig").read_bytes()
    error = refused(signed((RECORDED / PROGRAM).read_bytes(), other), PUBLISHER)
    assert "is a signature of other bytes" in error.what
    assert "file:SHA256SUMS" in error.expected


def test_a_key_that_only_calls_itself_the_pinned_one_is_refused():
    forger = SigningKey("forger", key_id=KEY.key_id)
    assert "was not made by the key that the manifest pins" in refused(signed(CONTENT, forger.sign(CONTENT))).what


def test_a_changed_trusted_comment_is_refused():
    changed = KEY.sign(CONTENT, b"version 1").replace(b"version 1", b"version 2")
    error = refused(signed(CONTENT, changed))
    assert error.what == f"the trusted comment of {PROGRAM}.minisig was changed"
    assert error.found == '"version 2"'


def test_the_trusted_comment_of_another_signature_is_refused():
    one, other = KEY.sign(CONTENT, b"one").splitlines(True), KEY.sign(b"other", b"other").splitlines(True)
    assert "trusted comment" in refused(signed(CONTENT, b"".join(one[:2] + other[2:]))).what


@pytest.mark.parametrize("algorithm", [b"ed", b"eD", b"RS", b"\0\0", b"Ee"])
def test_an_unknown_algorithm_is_refused(algorithm):
    error = refused(signed(CONTENT, KEY.sign(CONTENT, algorithm=algorithm)))
    assert "made with an algorithm that is not known" in error.what
    assert error.expected.startswith("Ed (Ed25519) or ED")


def test_a_signature_of_the_digest_is_none_of_the_file_under_the_other_algorithm():
    prehashed = KEY.sign(CONTENT)
    line = base64.b64decode(prehashed.splitlines()[1])
    as_legacy = prehashed.replace(base64.b64encode(line), base64.b64encode(b"Ed" + line[2:]))
    refused(signed(CONTENT, as_legacy))


GOOD = KEY.sign(CONTENT)
UNTRUSTED, FIRST, TRUSTED, SECOND = GOOD.splitlines()


@pytest.mark.parametrize(
    ("signature", "expected"),
    [
        (b"", "four lines"),
        (b"\n\n", "four lines"),
        (b"\n\n\n\n", "begins with 'untrusted comment: '"),
        (b"<!DOCTYPE html>\n<p>\nnot\nfound\n", "begins with 'untrusted comment: '"),
        (b"\n".join([UNTRUSTED, FIRST]), "four lines"),
        (GOOD + b"more\n", "four lines"),
        (b"\xef\xbb\xbf" + GOOD, "begins with 'untrusted comment: '"),
        (GOOD.decode().encode("utf-16"), "four lines"),
        (b"\n".join([TRUSTED, FIRST, TRUSTED, SECOND]), "begins with 'untrusted comment: '"),
        (b"\n".join([UNTRUSTED, FIRST, UNTRUSTED, SECOND]), "begins with 'trusted comment: '"),
        (b"\n".join([UNTRUSTED, FIRST[:-4], TRUSTED, SECOND]), "74 bytes in base64"),
        (b"\n".join([UNTRUSTED, FIRST + b"AAAA", TRUSTED, SECOND]), "74 bytes in base64"),
        (b"\n".join([UNTRUSTED, b"*" + FIRST, TRUSTED, SECOND]), "74 bytes in base64"),
        (b"\n".join([UNTRUSTED, SECOND, TRUSTED, SECOND]), "74 bytes in base64"),
        (b"\n".join([UNTRUSTED, FIRST, TRUSTED, FIRST]), "64 bytes in base64"),
        (b"\n".join([UNTRUSTED, FIRST, TRUSTED, b""]), "64 bytes in base64"),
        (b"\n".join([UNTRUSTED, FIRST, TRUSTED + b"x" * minisign.LIMIT_BYTES, SECOND]), "at most 16384 bytes"),
    ],
)
def test_what_is_no_signature_file_is_refused_with_what_one_looks_like(signature, expected):
    error = refused(signed(CONTENT, signature))
    assert error.what == f"{PROGRAM}.minisig is not a signature file of minisign"
    assert expected in error.expected


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 7))
@settings(max_examples=300)
def test_a_signature_with_any_bit_changed_is_refused_unless_it_is_one_that_nobody_trusts(place, bit):
    changed = bytearray(GOOD)
    changed[place] ^= 1 << bit
    is_untrusted = len(b"untrusted comment: ") <= place < len(UNTRUSTED) and b"\n" not in changed[: len(UNTRUSTED)]
    # The last digit before = has bits that mean nothing, as base64 is usually read.
    is_meaningless = bytes(changed).splitlines()[1:] and _decoded(bytes(changed)) == _decoded(GOOD)
    try:
        minisign.verify(signed(CONTENT, bytes(changed)), KEY.public)
    except ReleaseError:
        assert not is_untrusted
    else:
        assert is_untrusted or is_meaningless


def _decoded(signature: bytes) -> list[bytes]:
    lines = signature.split(b"\n")
    try:
        return [base64.b64decode(line, validate=True) if line[-1:] == b"=" else line for line in lines[1:]]
    except ValueError:
        return []


@given(
    st.binary(max_size=300) | st.lists(st.sampled_from([UNTRUSTED, FIRST, TRUSTED, SECOND, b"", b"="])).map(b"\n".join)
)
def test_no_bytes_raise_anything_but_the_one_error(signature):
    try:
        minisign.verify(signed(CONTENT, signature), KEY.public)
    except ReleaseError:
        return
    assert signature.splitlines() == GOOD.splitlines()


def test_a_file_that_minisign_itself_would_not_sign_without_hashing_is_refused(monkeypatch):
    monkeypatch.setattr(minisign, "LEGACY_LIMIT_BYTES", len(CONTENT) - 1)
    with pytest.raises(ReleaseError, match="too large for a signature of the legacy kind") as caught:
        minisign.verify(signed(CONTENT, KEY.sign(CONTENT, algorithm=b"Ed")), KEY.public)
    assert "without -l" in caught.value.fix
    monkeypatch.setattr(minisign, "LEGACY_LIMIT_BYTES", len(CONTENT))
    assert minisign.verify(signed(CONTENT, KEY.sign(CONTENT, algorithm=b"Ed")), KEY.public)


# An old file that is offered as a new one.


@pytest.mark.parametrize(
    ("name", "version", "called"),
    [
        ("tool-2.0-linux.tar.gz", "2.0", "tool-1.9-linux.tar.gz"),
        ("tool-2.0-linux.tar.gz", "v2.0", "tool-1.10.2-linux.tar.gz"),
        ("tool-2.0-linux.tar.gz", "2.0", "tool-2.0-rc1-linux.tar.gz"),
        ("tool_2.0_SHA256SUMS", "tool-2.0", "tool_1.9_SHA256SUMS"),
    ],
)
def test_a_signature_of_another_versions_file_is_refused(name, version, called):
    signature = KEY.sign(CONTENT, f"timestamp:1\tfile:{called}\thashed".encode())
    error = refused(signed(CONTENT, signature, name, version))
    assert error.what == f"{name}.minisig is of a file of another version"
    assert error.expected == f"a file that the signer calls {name}"
    assert error.found == f'"{called}"'


@pytest.mark.parametrize(
    "comment",
    [
        "timestamp:1\tfile:tool-2.0-linux.tar.gz\thashed",
        "timestamp:1\tfile:tool\thashed",
        "timestamp:1\tfile:tool-linux.tar.gz",
        "timestamp:1\tfile:tool-2.0-macos.tar.gz",
        "tool-1.9-linux.tar.gz",
        "the file:tool-1.9-linux.tar.gz",
        "",
    ],
)
def test_a_publisher_may_rename_what_was_signed(comment):
    signature = KEY.sign(CONTENT, comment.encode())
    assert minisign.verify(signed(CONTENT, signature, "tool-2.0-linux.tar.gz", "2.0"), KEY.public)


# Keys.


@pytest.mark.parametrize(
    "key", [PUBLISHER, SOMEBODY, KEY.public, "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3"]
)
def test_the_second_line_of_a_key_file_is_a_key(key):
    minisign.check_key(key)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "RWQ",
        KEY.public[:-1],
        KEY.public + "A",
        KEY.public + "\n",
        f" {KEY.public}",
        KEY.public.replace("RW", "RU", 1),
        "RW" + "=" * 54,
        f"untrusted comment: minisign public key\n{KEY.public}",
        "842B9701D9C35757",
    ],
)
def test_other_texts_are_no_keys(key):
    with pytest.raises(ReleaseError, match="not a public key of minisign") as caught:
        minisign.check_key(key)
    assert "begin with RW" in caught.value.expected


@given(st.binary(min_size=40, max_size=40))
def test_whatever_is_a_key_by_its_look_is_one_by_its_bytes(rest):
    minisign.check_key(base64.b64encode(b"Ed" + rest).decode())


def test_the_id_of_a_key_is_told_as_minisign_prints_it_without_zeros_before_it():
    decoded = base64.b64decode(KEY.public)
    key = base64.b64encode(decoded[:2] + bytes([0xB6, 0x42, 7, 0, 0, 0, 0, 0]) + decoded[10:]).decode()
    assert refused(signed(CONTENT, GOOD), key).expected == f"minisign key 742B6 ({key})"


def test_cryptography_is_imported_by_nobody_who_pins_no_key():
    look = "import sys; import ansible_collections.pinned.release.plugins.plugin_utils._lock.resolve"
    look += "; print([name for name in sys.modules if name.partition('.')[0] == 'cryptography'])"
    importable = [str(Path(minisign.__file__).parents[7]), *sys.path]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(importable)}
    found = subprocess.run([sys.executable, "-c", look], env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_without_cryptography_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(ReleaseError, match=r"cryptography.* missing on the controller") as caught:
        minisign.verify(signed(CONTENT, GOOD), KEY.public)
    assert re.search("pip install .*cryptography", caught.value.fix)


def test_a_cryptography_without_ed25519_is_a_clear_error(monkeypatch):
    ed25519 = libraries.cryptography.hazmat.primitives.asymmetric.ed25519
    unsupported = libraries.cryptography.exceptions.UnsupportedAlgorithm

    def refuse(content: bytes) -> None:
        raise unsupported("ed25519 is not supported by this version of OpenSSL.")

    monkeypatch.setattr(ed25519.Ed25519PublicKey, "from_public_bytes", refuse)
    with pytest.raises(ReleaseError, match="does not verify Ed25519") as caught:
        minisign.verify(signed(CONTENT, GOOD), KEY.public)
    assert "OpenSSL" in caught.value.found


# The real program.

real = pytest.mark.skipif(shutil.which("minisign") is None, reason="needs the program minisign")


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["minisign", *words], cwd=folder, capture_output=True, check=False)


@pytest.fixture(scope="module")
def real_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    for name in ("publisher", "somebody"):
        assert run(folder, "-G", "-W", "-p", f"{name}.pub", "-s", f"{name}.key").returncode == 0
    return folder


def public(folder: Path, name: str) -> str:
    return (folder / f"{name}.pub").read_text().splitlines()[1]


@real
@pytest.mark.parametrize("legacy", [[], ["-l"]])
@pytest.mark.parametrize("content", [b"", CONTENT, bytes(range(256)) * 5000])
@pytest.mark.parametrize("comment", [[], ["-t", "release 1.0, built by hand"]])
def test_what_the_real_program_signs_is_verified(real_keys, tmp_path, legacy, content, comment):
    (tmp_path / PROGRAM).write_bytes(content)
    made = run(tmp_path, "-S", *legacy, *comment, "-s", str(real_keys / "publisher.key"), "-m", PROGRAM)
    assert made.returncode == 0, made.stderr
    of = signed(content, (tmp_path / f"{PROGRAM}.minisig").read_bytes())
    found = minisign.verify(of, public(real_keys, "publisher"))
    assert found.name in (real_keys / "publisher.pub").read_text()
    assert found.statement.startswith("release 1.0" if comment else "timestamp:")
    assert "another key" in refused(of, public(real_keys, "somebody")).what
    assert (
        "other bytes"
        in refused(replace(of, open_file=lambda: io.BytesIO(content + b"!")), public(real_keys, "publisher")).what
    )


@real
@pytest.mark.parametrize("algorithm", [b"Ed", b"ED", b"eD"])
@pytest.mark.parametrize(
    "change",
    [
        lambda signature: signature,
        lambda signature: signature.replace(b"trusted\n", b"believed\n"),
        lambda signature: signature.replace(b"\n", b"\r\n"),
        lambda signature: signature.replace(b"untrusted comment: ", b"comment: "),
        lambda signature: b"\n".join(signature.splitlines()[:2]),
        lambda signature: signature.replace(signature.splitlines()[3], signature.splitlines()[3][:-4]),
        lambda signature: SigningKey("forger", KEY.key_id).sign(CONTENT),
        lambda signature: KEY.sign(b"other bytes"),
    ],
)
def test_the_real_program_judges_as_we_do(tmp_path, algorithm, change):
    signature = change(KEY.sign(CONTENT, algorithm=algorithm))
    (tmp_path / "file").write_bytes(CONTENT)
    (tmp_path / "file.minisig").write_bytes(signature)
    is_right = run(tmp_path, "-V", "-P", KEY.public, "-m", "file").returncode == 0
    try:
        minisign.verify(signed(CONTENT, signature), KEY.public)
        is_verified = True
    except ReleaseError:
        is_verified = False
    assert is_verified == is_right
