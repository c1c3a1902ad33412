# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Statements signed with keys of every kind, by the real programs, and verified by those that the public has."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._audit import envelope, known_keys, signing
from ansible_collections.pinned.release.plugins.plugin_utils._audit.envelope import Envelope
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.gpg_home import GpgHome

KINDS = ("ssh", "minisign", "pem", "cosign", "gpg")
PROGRAMS = {"ssh": "ssh-keygen", "minisign": "minisign", "pem": "openssl", "cosign": "cosign", "gpg": "gpg"}
PASSPHRASE = "correct horse"
LOCK = b"the lock file"
STATEMENT = envelope.statement(
    "https://pinned.release/rollout/v1",
    {"finished": "2026-11-29T18:33:02Z"},
    {"releases.lock.json": "0" * 64},
)


def run(*words: str, folder: Path, content: bytes = b"", **environment: str) -> bytes:
    ran = subprocess.run(
        words, cwd=folder, input=content, capture_output=True, check=False, env={**os.environ, **environment}
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def needs(kind: str) -> None:
    if shutil.which(PROGRAMS[kind]) is None:
        pytest.skip(f"needs the program {PROGRAMS[kind]}")


class Keys:
    """A pair of keys of each kind, made by the program of the kind when they are asked for."""

    def __init__(self, folder: Path, gpg: GpgHome) -> None:
        self.folder = folder
        self._gpg = gpg

    def private(self, kind: str, passphrase: str = "") -> str:
        """Return what log_key says for a new key."""
        needs(kind)
        path = self.folder / kind
        if kind == "ssh":
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", "auditor", "-f", kind, folder=self.folder)
        elif kind == "minisign":
            words = [] if passphrase else ["-W"]
            twice = f"{passphrase}\n{passphrase}\n".encode()
            run("minisign", "-G", *words, "-p", "minisign.pub", "-s", kind, folder=self.folder, content=twice)
        elif kind == "pem":
            cipher = ["-aes256", "-pass", f"pass:{passphrase}"] if passphrase else []
            words = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", *cipher, "-out", kind]
            run("openssl", "genpkey", *words, folder=self.folder)
            given = ["-passin", f"pass:{passphrase}"] if passphrase else []
            run("openssl", "pkey", "-in", kind, *given, "-pubout", "-out", "pem.pub", folder=self.folder)
            path.chmod(0o600)
        elif kind == "cosign":
            run("cosign", "generate-key-pair", folder=self.folder, COSIGN_PASSWORD=passphrase)
            path = self.folder / "cosign.key"
        else:
            return self._gpg.key("auditor")
        return str(path)

    def public(self, kind: str) -> str:
        """Return what signers says for it."""
        if kind == "gpg":
            return self._gpg.run("--armor", "--export", "auditor").decode()
        text = (self.folder / f"{kind}.pub").read_text()
        return text.splitlines()[1] if kind == "minisign" else text


@pytest.fixture
def keys(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Keys]:
    home = GpgHome(tmp_path_factory.mktemp("g"))
    monkeypatch.setenv("GNUPGHOME", str(home.folder))
    monkeypatch.setenv("COSIGN_PASSWORD", "")
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    yield Keys(tmp_path, home)
    home.stop()


def signed(key: str) -> Envelope:
    return envelope.wrap(STATEMENT, signing.signer(key))


def refused(key: str) -> ReleaseError:
    with pytest.raises(ReleaseError) as caught:
        signed(key)
    return caught.value


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_key_signs_is_verified_by_it_and_by_no_other(keys, kind):
    made = signed(keys.private(kind))
    assert known_keys.signed_by(made, known_keys.known_keys([keys.public(kind)]), "entry 1")
    other = Envelope(made.payload.replace(b"2026", b"2025"), made.signatures)
    with pytest.raises(ReleaseError, match="entry 1 is not signed by one of signers"):
        known_keys.signed_by(other, known_keys.known_keys([keys.public(kind)]), "entry 1")
    assert envelope.read(made.line()[:-1]) == made


@pytest.mark.parametrize("kind", KINDS)
def test_key_of_another_kind_does_not_count(keys, kind):
    made = signed(keys.private(kind))
    other = "ssh" if kind != "ssh" else "pem"
    keys.private(other)
    with pytest.raises(ReleaseError, match="is not signed by one of signers"):
        known_keys.signed_by(made, known_keys.known_keys([keys.public(other)]), "entry 1")


def test_public_tools_verify_a_signature_of_the_encoding(keys, tmp_path):
    """As the guide tells an auditor who has none of this collection."""
    for kind in ("ssh", "minisign", "pem", "gpg"):
        made = signed(keys.private(kind))
        (tmp_path / "signed").write_bytes(made.signed_bytes)
        (tmp_path / "signature").write_bytes(made.signatures[0].content)
        if kind == "ssh":
            (tmp_path / "allowed").write_text(f"auditor {keys.public(kind)}")
            words = ["-Y", "verify", "-f", "allowed", "-I", "auditor", "-n", signing.NAMESPACE, "-s", "signature"]
            run("ssh-keygen", *words, folder=tmp_path, content=made.signed_bytes)
        elif kind == "minisign":
            words = ["-V", "-P", keys.public(kind), "-x", "signature", "-m", "signed"]
            run("minisign", *words, folder=tmp_path)
        elif kind == "pem":
            words = ["-sha256", "-verify", "pem.pub", "-signature", "signature", "signed"]
            run("openssl", "dgst", *words, folder=tmp_path)
        else:
            run("gpg", "--verify", "signature", "signed", folder=tmp_path)


@pytest.mark.parametrize("kind", ["pem", "cosign"])
def test_cosign_verifies_a_line_of_the_log_as_it_stands(keys, tmp_path, kind):
    needs("cosign")
    (tmp_path / "lock").write_bytes(LOCK)
    sha256 = run("sha256sum", "lock", folder=tmp_path).split()[0].decode()
    said = envelope.statement("https://pinned.release/rollout/v1", {"finished": "now"}, {"lock": sha256})
    made = envelope.wrap(said, signing.signer(keys.private(kind)))
    (tmp_path / "line").write_bytes(made.line())
    words = ["--type", said["predicateType"], "--insecure-ignore-tlog", "--key", f"{kind}.pub", "--signature", "line"]
    run("cosign", "verify-blob-attestation", *words, "lock", folder=tmp_path)
    (tmp_path / "lock").write_bytes(LOCK + b"!")
    with pytest.raises(AssertionError, match="digest"):
        run("cosign", "verify-blob-attestation", *words, "lock", folder=tmp_path)


def test_securesystemslib_verifies_an_envelope(keys):
    """The library of the people who wrote the format."""
    dsse = pytest.importorskip("securesystemslib.dsse", reason="needs the package securesystemslib")
    signer = pytest.importorskip("securesystemslib.signer")
    made = signed(keys.private("pem"))
    public = signer.SSlibKey(made.signatures[0].key, "ecdsa", "ecdsa-sha2-nistp256", {"public": keys.public("pem")})
    found = dsse.Envelope.from_dict(json.loads(made.line()))
    assert found.pae() == made.signed_bytes
    assert found.verify([public], threshold=1)


@pytest.mark.parametrize("kind", ["minisign", "pem", "cosign"])
def test_passphrase_comes_from_the_environment(keys, kind, monkeypatch):
    key = keys.private(kind, PASSPHRASE)
    error = refused(key)
    assert PASSPHRASE not in str(error)
    assert str(error.fix).endswith("COSIGN_PASSWORD" if kind == "cosign" else signing.PASSPHRASE)
    assert "ssh" not in str(error.fix)
    monkeypatch.setenv("COSIGN_PASSWORD" if kind == "cosign" else signing.PASSPHRASE, PASSPHRASE)
    made = signed(key)
    assert known_keys.signed_by(made, known_keys.known_keys([keys.public(kind)]), "entry 1")
    monkeypatch.setenv("COSIGN_PASSWORD" if kind == "cosign" else signing.PASSPHRASE, "wrong")
    assert "wrong" not in str(refused(key).found)


def test_key_of_ssh_is_asked_of_its_agent(keys, tmp_path, monkeypatch):
    key = keys.private("ssh", PASSPHRASE)
    fix = str(refused(key).fix)
    assert fix.endswith(f"ssh-add {key}")
    assert signing.PASSPHRASE not in fix
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(tmp_path / "agent")], stdout=subprocess.PIPE)
    try:
        assert agent.stdout is not None
        agent.stdout.readline()
        monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
        (tmp_path / "ask").write_text(f"#!/bin/sh\necho '{PASSPHRASE}'\n")
        (tmp_path / "ask").chmod(0o700)
        run("ssh-add", "-q", key, folder=tmp_path, SSH_ASKPASS=str(tmp_path / "ask"), SSH_ASKPASS_REQUIRE="force")
        os.unlink(key)
        made = signed(f"{key}.pub")
    finally:
        agent.kill()
        agent.communicate()
    assert known_keys.signed_by(made, known_keys.known_keys([keys.public("ssh")]), "entry 1") == "auditor"


@pytest.mark.parametrize("kind", ["ssh", "minisign", "pem", "cosign"])
def test_private_key_that_others_may_read_is_refused(keys, kind):
    key = keys.private(kind)
    os.chmod(key, 0o640)
    error = refused(key)
    assert "may be read by others" in error.what
    assert error.found == "mode 0640"
    assert error.fix is not None
    assert f"chmod 600 {key}" in error.fix


@pytest.mark.parametrize("content", [b"", b"a text", b"-----BEGIN PUBLIC KEY-----\n", b"untrusted comment: hello\n"])
def test_file_that_is_no_private_key_is_refused(tmp_path, content):
    (tmp_path / "key").write_bytes(content)
    (tmp_path / "key").chmod(0o600)
    assert "is not a private key that can sign here" in refused(str(tmp_path / "key")).what


def test_absent_key_is_refused(tmp_path):
    assert refused(str(tmp_path / "key")).found == "No such file or directory"
    assert "cannot read the key" in refused(str(tmp_path)).what


def test_key_on_another_curve_is_refused(tmp_path):
    needs("pem")
    run("openssl", "genpkey", "-algorithm", "ed25519", "-out", "key", folder=tmp_path)
    (tmp_path / "key").chmod(0o600)
    assert refused(str(tmp_path / "key")).expected == "P-256"


def test_missing_program_is_told(keys, monkeypatch):
    key = keys.private("ssh")
    with monkeypatch.context() as without:
        without.setenv("PATH", "/nowhere")
        assert "ssh-keygen is missing" in refused(key).what


@pytest.mark.parametrize("text", ["", "hello", "ssh-ed25519 AAAA", "-----BEGIN PGP PUBLIC KEY BLOCK-----", "RWQ="])
def test_text_that_is_no_public_key_is_refused(text):
    with pytest.raises(ReleaseError):
        known_keys.known_keys([text])


def test_encoding_is_that_of_the_specification():
    """The example of secure-systems-lab/dsse, "protocol.md", with our type of payload."""
    assert Envelope(b"hello world").signed_bytes == b"DSSEv1 28 application/vnd.in-toto+json 11 hello world"
    line = json.loads(Envelope(b"{}").line())
    assert base64.b64decode(line["payload"]) == b"{}"
