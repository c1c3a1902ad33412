# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lets a fuzzer that is guided by coverage try one reader of hostile bytes: readers.py READER [OPTION_OF_LIBFUZZER...]

What a reader may do is return, or raise ReleaseError. Any other exception ends the run, and the bytes are kept in the
working folder. `make fuzz READER=elf SECONDS=600` runs it.
"""

from __future__ import annotations

import base64
import io
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["ansible_collections"]):
    from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
    from ansible_collections.pinned.release.plugins.plugin_utils._asset import contents
    from ansible_collections.pinned.release.plugins.plugin_utils._audit import envelope, history, known_keys, log
    from ansible_collections.pinned.release.plugins.plugin_utils._audit.advisories import (
        ranges,
        record,
        vex,
        zip_records,
    )
    from ansible_collections.pinned.release.plugins.plugin_utils._host import probe
    from ansible_collections.pinned.release.plugins.plugin_utils._lock import lockfile, manifest
    from ansible_collections.pinned.release.plugins.plugin_utils._naming import naming
    from ansible_collections.pinned.release.plugins.plugin_utils._program import components, executable
    from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import sums
    from ansible_collections.pinned.release.plugins.plugin_utils._signature import (
        Signed,
        minisign,
        openpgp,
        sigstore,
        ssh,
    )
    from ansible_collections.pinned.release.plugins.plugin_utils._values.receipt import read_receipt
    from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset

QUESTION = probe.Question(ask="state", nonce="n")
#: Keys that nobody has the secret of.
KEY = "RWQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
SSH_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "A" * 43

SIGNERS = known_keys.known_keys([KEY, SSH_KEY])
ROOTS = sigstore.TrustRoots.of(sigstore.public_good())


def text(content: bytes) -> str:
    return content.decode("utf-8", "replace")


def opened(archive_format: str) -> Callable[[bytes], object]:
    def read(content: bytes) -> object:
        with tempfile.NamedTemporaryFile() as file:
            file.write(content)
            file.flush()
            return contents.look_into(Path(file.name), archive_format, "tool")

    return read


def answer(content: bytes) -> object:
    return probe.parse(f"@@pinned.release n\nroot /r\nbin_dir /b\n{text(content)}\n@@end n\n", QUESTION)


def signed(content: bytes) -> Signed:
    return Signed("x", "1", "0" * 64, lambda: io.BytesIO(b"x"), "x.sig", content)


def openpgp_file(content: bytes) -> None:
    for read in (openpgp.signature, openpgp.signed_text, lambda bytes_: openpgp.key(bytes_, "0" * 40)):
        with suppress(ReleaseError):
            read(content)


def armored(content: bytes) -> bytes:
    return b"-----BEGIN SSH SIGNATURE-----\n%b-----END SSH SIGNATURE-----\n" % base64.encodebytes(content)


def advisory(content: bytes) -> None:
    found = record.parse(content, "x")
    for package in {package for affected in found.affected for package in affected.packages}:
        for version in ("1.0.0", "v1.0.0-0.20240102150405-0123456789ab", "1!1.0rc1"):
            ranges.verdict(found.affected, package, version)


def advisories(content: bytes) -> None:
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        for _name, _content in zip_records.read_records(Path(file.name)):
            pass


def records(content: bytes) -> None:
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        log.verify(Path(file.name), signers=SIGNERS)
        history.known(Path(file.name))


def bundle(content: bytes) -> object:
    return sigstore.verify_each(content, ROOTS, {"sha256": "0" * 64})


READERS: dict[str, Callable[[bytes], object]] = {
    "advisory": advisory,
    "advisories": advisories,
    "vex": lambda content: vex.parse(content, "x"),
    "program": executable.read,
    "components": components.inside,
    "tar": opened("tar"),
    "zip": opened("zip"),
    "lockfile": lambda content: lockfile.parse(text(content)),
    "manifest": lambda content: manifest.parse(text(content)),
    "answer": answer,
    "receipt": read_receipt,
    "log": records,
    "statement": lambda content: records(envelope.Envelope(content).line()),
    "sums": lambda content: sums.parse_sums(sums.decode(content)),
    "minisign": lambda content: minisign.verify(signed(content), KEY),
    "openpgp": openpgp_file,
    "ssh": lambda content: ssh.verify(signed(armored(content)), SSH_KEY),
    "sigstore": bundle,
    "trust_root": sigstore.TrustRoots.of,
    "name": lambda content: naming.read(Asset(text(content), "https://example.org/x"), ("tool",), "1.0"),
}


def main() -> None:
    reader = READERS.get(sys.argv[1] if sys.argv[1:] else "")
    if reader is None:
        sys.exit(f"READER is one of {', '.join(READERS)}")

    def once(content: bytes) -> None:
        with suppress(ReleaseError):
            reader(content)

    atheris.Setup([sys.argv[0], *sys.argv[2:]], once)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
