# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in a repository of a registry, and how is something put there? Runs on the controller.

Follows the OCI distribution-spec 1.1 ("Push", "Checking if content exists"). A blob is sent in one request, from the
file that it is in, so that memory is bounded. The login is that with which source ``oci`` reads (oci_login.py), the
token is one for pushing, and both go to no other server. What was pushed is compared with what the registry says of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.artifacts import digest_of
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.entry import Entry
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import documents, transport
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.redaction import redacted, shown
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources import oci_manifest
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.oci_access import (
    RegistryAccess,
    refusal,
)
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.oci_login import keeper, login_for
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.oci_place import RegistryPlace

if TYPE_CHECKING:
    import requests

#: A registry brings a blob to its own storage before it answers.
TIMEOUTS_S = (10.0, 600.0)
_ACCEPTED = ", ".join((*oci_manifest.INDEXES, *oci_manifest.MANIFESTS))
_LOG_IN = "log in as a user who may push there, with docker login or in netrc"
_FIXES = {
    401: _LOG_IN,
    403: _LOG_IN,
    404: "check the spelling; some registries want a repository to be made before something is pushed to it",
    405: "check that this is a registry, and none that only mirrors another one",
    413: "raise the size limit of the registry, or of the proxy before it",
}
#: It took the request to send a file, and does not know of it any more.
_GAVE_UP = "see in the registry's log why it gave up what was sent to it, such as a full disk, and run again"


@dataclass(frozen=True)
class Index:
    """What a tag leads to: its bytes, the type that it says it has, and its parts, which a manifest has none of."""

    body: bytes
    artifact_type: str
    parts: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Repository:
    """A repository, which need not exist before something is pushed. Use repository().

    *keeper* is the program that has the login, where this machine has none that can be read.
    """

    place: RegistryPlace
    session: requests.Session = field(repr=False)
    keeper: str = ""

    def __str__(self) -> str:
        return f"{self.place.names[0]}/{self.place.repository}"

    def index(self, tag: str) -> Index | None:
        """Return the index, or the manifest, that has this *tag*; None where there is none.

        Raises ReleaseError if the registry does not answer as specified, or with other bytes than it says.
        """
        response = self.session.get(f"{self.place.address}/manifests/{tag}", headers={"Accept": _ACCEPTED})
        if response.status_code == 404:
            return None
        if not response.ok:
            raise self._refused(response)
        stated = response.headers.get("Docker-Content-Digest")
        if stated:
            oci_manifest.refuse_other_bytes(response.content, stated, f"{self}:{tag}")
        kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        read: Any = partial(_read_index, kind=kind, body=response.content)
        index: Index = documents.json_of(response, f"{self}:{tag}: a manifest of the OCI image-spec", read)
        return index

    def has_manifest(self, digest: str, size: int) -> bool:
        """Tell whether the registry has the manifest with this digest. Raises ReleaseError if it does not say."""
        return self._has(f"manifests/{digest}", digest, size)

    def has_blob(self, entry: Entry) -> bool:
        """Tell whether the registry has these bytes. Raises ReleaseError if it does not say."""
        return self._has(f"blobs/sha256:{entry.sha256}", f"sha256:{entry.sha256}", entry.size)

    def push_blob(self, content: bytes | Path, entry: Entry) -> None:
        """Put a blob into the repository. Raises ReleaseError if the registry does not take it as it is."""
        digest = f"sha256:{entry.sha256}"
        opened = self.session.post(f"{self.place.address}/blobs/uploads/", headers={"Content-Length": "0"})
        if opened.status_code != 202:
            raise self._refused(opened)
        url = self._upload(opened, digest)
        headers = {"Content-Type": "application/octet-stream"}
        if isinstance(content, bytes):
            done = self.session.put(url, data=content, headers=headers, timeout=TIMEOUTS_S)
        else:
            with content.open("rb") as file:
                done = self.session.put(url, data=file, headers=headers, timeout=TIMEOUTS_S)
        self._confirm(done, digest)
        if not self.has_blob(entry):
            raise ReleaseError(
                f"{self} does not have what was pushed to it", expected=f"{digest}, {entry.size} bytes", fix="run again"
            )

    def push_manifest(self, content: bytes, reference: str, kind: str) -> None:
        """Put a manifest of this *kind* into the repository, under a digest or a tag.

        Raises ReleaseError if the registry does not take it as it is.
        """
        url = f"{self.place.address}/manifests/{reference}"
        self._confirm(self.session.put(url, data=content, headers={"Content-Type": kind}), digest_of(content))

    def _has(self, path: str, digest: str, size: int) -> bool:
        # Streamed: the answer has the length of what it does not bring.
        response = self.session.request(
            "HEAD",
            f"{self.place.address}/{path}",
            headers={"Accept": _ACCEPTED if path.startswith("manifests/") else "*/*"},
            allow_redirects=False,
            stream=True,
        )
        response.close()
        if response.status_code == 404:
            return False
        if response.is_redirect:
            return True  # It leads to the storage that has it.
        if not response.ok:
            raise self._refused(response)
        length = response.headers.get("Content-Length", "")
        stated = response.headers.get("Docker-Content-Digest", digest)
        return stated == digest and (not length.isdecimal() or length == str(size))

    def _upload(self, response: requests.Response, digest: str) -> str:
        """Return where to send a blob, as the registry says. Raises ReleaseError if that is another server."""
        told = response.headers.get("Location", "")
        try:
            url = urljoin(response.url, told)
            parts = urlsplit(url)
            is_own = bool(told) and transport.origin(url) == transport.origin(self.place.registry)
        except ValueError:
            is_own = False
        if not is_own:
            raise ReleaseError(
                f"{self} sends what is pushed to another server",
                expected=f"an address of {self.place.registry}",
                found=redacted(told) if told else "none",
                fix="correct the address by which the registry, or the proxy before it, knows itself",
            )
        query = [*parse_qsl(parts.query, keep_blank_values=True), ("digest", digest)]
        return urlunsplit(parts._replace(query=urlencode(query), fragment=""))

    def _confirm(self, response: requests.Response, digest: str) -> None:
        if response.status_code != 201:
            raise self._refused(response)
        stated = response.headers.get("Docker-Content-Digest", digest)
        if stated != digest:
            raise ReleaseError(
                f"{self} has something else than what was pushed to it", expected=digest, found=shown(stated)
            )

    def _refused(self, response: requests.Response) -> ReleaseError:
        """Return the error for an answer that is not what was asked for, in the registry's own words."""
        refused = refusal(response, self.session)
        access: Any = self.session.auth
        is_sent = response.request.method == "PUT" and "/manifests/" not in response.url
        fix = _GAVE_UP if is_sent and response.status_code == 404 else _FIXES.get(response.status_code)
        if self.keeper and response.status_code in (401, 403):
            fix = f"put the login into netrc: {self.keeper} keeps what docker login was told, and is not started"
        fix = f"{access.refused_login}: correct it" if access.refused_login else fix
        return ReleaseError(f"{self}: {refused.what}", found=refused.found, fix=fix or refused.fix)


def repository(place: RegistryPlace) -> Repository:
    """Return the repository at *place*, with this machine's login. Raises ReleaseError if that cannot be used."""
    session = transport.session()
    login = login_for(place.registry, place.names)
    # Where blobs are sent to is often beside the repository, so the whole registry is trusted with its own token.
    session.auth = RegistryAccess(f"{place.registry}/", place.repository, login, is_pushing=True)
    return Repository(place, session, "" if login else keeper(place.names))


def _read_index(document: Any, kind: str, body: bytes) -> Index:
    oci_manifest.read_manifest(document, kind)  # raises for what is not well-formed
    return Index(body, str(document.get("artifactType")), tuple(document.get("manifests") or ()))
