# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How is a signature refused, and what does a person do then, whatever its format? Pure; runs on the controller."""

from __future__ import annotations

from collections.abc import Callable

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._signature import Signed
from ansible_collections.pinned.release.plugins.plugin_utils._values import libraries

DO_NOT_USE = "do not use it: it was damaged, or somebody exchanged it; ask its publisher"
SECOND_LOOK = "find out from the publisher, and not from this release, whether"
#: The files of all formats are far smaller; the largest is one of OpenPGP's by a dozen people.
LIMIT_BYTES = 64 * 1024


class AnotherKeyError(ReleaseError):
    """A signature, perhaps a valid one, that names another key than the one asked about."""


def is_signed(check: Callable[[], object], algorithm: str) -> bool:
    """Return whether *check* passes, which calls cryptography to verify a signature by an *algorithm*.

    Raises ReleaseError if this controller's cryptography is absent, or does not have the algorithm.
    """
    cryptography = libraries.cryptography
    try:
        check()
    except ReleaseError:  # The library is absent, and then so are its exceptions.
        raise
    except cryptography.exceptions.InvalidSignature:
        return False
    except cryptography.exceptions.UnsupportedAlgorithm as error:
        raise ReleaseError(
            f"the cryptography of this controller does not verify {algorithm}",
            found=str(error),
            fix="use a controller that does; in FIPS mode, many algorithms are missing",
        ) from error
    return True


def refuse_large(signed: Signed, kind: str) -> None:
    """Raise ReleaseError if the signature, of a *kind* such as ``an SSH signature``, is larger than any can be."""
    if len(signed.signature) > LIMIT_BYTES:
        raise malformed(signed, kind, f"at most {LIMIT_BYTES} bytes", f"{len(signed.signature)} bytes")


def malformed(signed: Signed, kind: str, expected: str, found: str) -> ReleaseError:
    """Return the error that the signature file is not of its *kind*, such as ``an SSH signature``."""
    return ReleaseError(f"{signed.signature_name} is not {kind}", expected=expected, found=found, fix=DO_NOT_USE)


def another_key(signed: Signed, expected: str, found: str) -> AnotherKeyError:
    """Return the error that the file is signed by the key that was *found* and not by the one *expected*."""
    return AnotherKeyError(
        f"{signed.name} is signed with another key than the pinned one",
        expected=expected,
        found=f"{found} in {signed.signature_name}",
        fix=f"{SECOND_LOOK} its key has changed; only then pin the new one",
    )


def other_bytes(signed: Signed, key: str) -> ReleaseError:
    """Return the error that the signature, which names *key*, is not one by it of the bytes of the file."""
    return ReleaseError(
        f"{signed.signature_name} is not a signature of the bytes of {signed.name}",
        expected=f"a signature of these bytes by {key}",
        found=f"a file with sha256 {signed.sha256}, which this signature is not of",
        fix=DO_NOT_USE,
    )
