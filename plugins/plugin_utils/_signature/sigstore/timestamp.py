# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When was this signature made, by the word of a timestamp authority? RFC 3161. Pure; controller."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from ansible_collections.pinned.release.plugins.plugin_utils._signature.sigstore.roots import Authority, TrustRoot
from ansible_collections.pinned.release.plugins.plugin_utils._signature.sigstore.untrusted import reading, refused
from ansible_collections.pinned.release.plugins.plugin_utils._values import libraries

if TYPE_CHECKING:
    from rfc3161_client import TimeStampResponse


def verified_times(timestamps: tuple[bytes, ...], signature: bytes, root: TrustRoot) -> list[datetime]:
    """Return the times at which authorities of *root* saw *signature*. A timestamp of an unknown authority says none.

    Raises ReleaseError if a timestamp cannot be read, or stands there twice.
    """
    if len(set(timestamps)) != len(timestamps):
        raise refused("a timestamp stands in the bundle twice")
    return [time for content in timestamps if (time := _verified_time(content, signature, root)) is not None]


def _verified_time(content: bytes, signature: bytes, root: TrustRoot) -> datetime | None:
    with reading("a timestamp"):
        response = libraries.rfc3161_client.decode_timestamp_response(content)
        for authority in root.timestamp_authorities:
            when: datetime = response.tst_info.gen_time
            if authority.period.covers(when) and _is_made_by(authority, response, signature):
                return when
    return None


def _is_made_by(authority: Authority, response: TimeStampResponse, signature: bytes) -> bool:
    client = libraries.rfc3161_client
    signer, *others = authority.certificates
    builder = client.VerifierBuilder().tsa_certificate(signer).add_root_certificate(authority.certificates[-1])
    for certificate in others[:-1]:
        builder = builder.add_intermediate_certificate(certificate)
    try:
        return bool(builder.build().verify_message(response, signature))
    except client.VerificationError:
        return False
