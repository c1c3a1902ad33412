# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which releases does an artifact in a registry have, such as ghcr.io or one's own? Runs on the controller.

Follows the OCI distribution-spec 1.1 ("Content Discovery", "Pull"). A tag is a version; its files are the layers that
have a title, of one manifest or of those that an index names for platforms (oci_manifest.py). Each file's address
contains its digest, so what is locked stays what it is wherever the tag moves. oci_access.py says who is let in.

No tag has a ``+``. Where one has a ``_`` instead, as pinned.release.mirror writes it, and Helm, the manifest says which
version is meant.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import documents, failures, redaction, transport
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.credentials import Credential
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources import oci_manifest, oci_place, versions
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.declared import (
    Declaration,
    asset_address,
    is_file_name,
    listed,
    refuse_too_many,
    require_name,
)
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.oci_access import (
    RegistryAccess,
    refusal,
)
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.oci_login import login_for
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.oci_manifest import Descriptor, Manifest
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset, Release
from ansible_collections.pinned.release.plugins.plugin_utils._values.version import is_prerelease, order_of

if TYPE_CHECKING:
    import requests

PARALLEL_REQUESTS = 8
PAGE_SIZE = 1000
TAGS_LIMIT = 100_000
PAGES_LIMIT = 1000
#: Of how many wanted versions, the newest, the files are read: each costs a request, and one more a platform.
VERSIONS_LIMIT = 30
#: What is about another artifact: signatures, SBOMs (distribution-spec, "Referrers Tag Schema"; cosign).
_ABOUT_ANOTHER = re.compile(r"sha(?:256|512)-[0-9a-f]{32,}(?:\.[a-z]+)?")
_ACCEPTED = ", ".join((*oci_manifest.INDEXES, *oci_manifest.MANIFESTS))


@dataclass(frozen=True)
class _Tagged:
    """A tag of the repository, the version in it, and the text before that."""

    tag: str
    version: str
    label: str


@dataclass(frozen=True)
class _Contents:
    """The files of a tag, when its publisher says that they were made, and of which version; None: not said."""

    files: tuple[oci_manifest.File, ...]
    created: datetime | None
    version: str | None


class OciSource:
    """An artifact in an OCI registry."""

    OPTIONS = frozenset({"tag"})

    def __init__(self, declaration: Declaration) -> None:
        """Prepare to ask the declared registry. Raises ReleaseError if name, options or login are not valid."""
        self._name = require_name(declaration, oci_place.NAME, "ghcr.io/owner/tool")
        place = oci_place.place_of(self._name)
        self._place, self._repository = place.address, place.repository
        self._product = self._repository.rpartition("/")[2]
        self._is_wanted = declaration.is_wanted
        self._exact = declaration.exact
        template = declaration.options.get("tag")
        self._tag = versions.version_pattern(template, "tag") if template else None
        self._cache_root = declaration.cache_root
        self._access = RegistryAccess(self._place, self._repository, login_for(place.registry, place.names))
        self.session = self._session(self._access)

    def describe(self) -> str:
        """Return the source as a person would name it."""
        return f"artifact {redaction.redacted(self._name) if '://' in self._name else self._name}"

    def releases(self) -> Sequence[Release]:
        """Return every version that a tag names, newest first; only those that the manifest allows have assets.

        Raises ReleaseError if the registry does not answer as specified, or if no allowed version has files.
        """
        tagged = self._versions()
        wanted = [one for one in tagged if self._may_be_wanted(one.version)][:VERSIONS_LIMIT]
        with ThreadPoolExecutor(PARALLEL_REQUESTS) as pool:
            contents = dict(zip(wanted, pool.map(self._contents, wanted), strict=True))
        refuse_too_many(sum(len(one.files) for one in contents.values()), self.describe())
        if contents and not any(one.files for one in contents.values()):
            raise ReleaseError(
                f"{self.describe()} has no files: its layers have no titles, as those of container images have none",
                found=f"tag {wanted[0].tag}",
                fix="name an artifact whose layers are files, such as those that  oras push  makes",
            )
        beyond = [Release(one.version, ()) for one in tagged if one not in contents]
        found_releases = [self._release(one, found) for one, found in contents.items() if found.files]
        return [*sorted(found_releases, key=lambda one: order_of(one.version), reverse=True), *beyond]

    def _may_be_wanted(self, version: str) -> bool:
        """Tell whether the *version* in a tag, or the one that it may stand for, can matter to the manifest."""
        return self._is_wanted(version) or self._is_wanted(version.replace("_", "+", 1))

    def _versions(self) -> list[_Tagged]:
        """Return the tags that name versions, newest first. Raises ReleaseError where it is unclear what is meant."""
        tags = self._tags()
        known = [one for one in map(self._read_tag, tags) if one]
        if tags and not known:
            raise ReleaseError(
                f"{self.describe()} has no tag that names a version",
                found=f"tags {redaction.shown(listed(tags))}",
                fix="say what its tags look like, for example  tag: release-{version}",
            )
        own = [one for one in known if versions.is_neutral(one.label, self._product)]
        examples = {one.label: one.tag for one in known}
        if not own and len(examples) > 1:
            raise ReleaseError(
                f"{self.describe()} publishes several products",
                found=f"tags like {redaction.shown(listed(examples.values()))}",
                fix="name one by the pattern of its tags, for example  tag: cli-{version}",
            )
        by_version = {one.version: one for one in reversed(_without_moving(own or known, self._exact))}
        return sorted(by_version.values(), key=lambda one: order_of(one.version), reverse=True)

    def _tags(self) -> list[str]:
        """Return all tags, in the registry's order. Raises ReleaseError if they are not listed, or without end."""
        found: list[str] = []
        following: str | None = f"{self._place}/tags/list?n={PAGE_SIZE}"
        for _page in range(PAGES_LIMIT):
            if following is None:
                return found
            response = self._get(following, {})
            found += documents.json_of(response, "a list of tags as the OCI distribution-spec has it", _tags_in)
            if len(found) > TAGS_LIMIT:
                break
            following = self._following(response)
        raise ReleaseError(f"{self.describe()} lists tags without end", expected=f"at most {TAGS_LIMIT} tags")

    def _following(self, response: requests.Response) -> str | None:
        """Return the address of the next page, None after the last. Raises ReleaseError if it is somewhere else."""
        with failures.as_release_error(self.describe(), "a Link header (RFC 8288)"):
            target: str | None = response.links.get("next", {}).get("url")
            following = urljoin(response.url, target) if target is not None else None
            if following is not None and not Credential(self._place, {}).covers(following):
                raise ReleaseError(
                    f"{self.describe()} continues its list on another server",
                    expected=f"a page below {self._place}",
                    found=redaction.redacted(following),
                )
        return following

    def _read_tag(self, tag: str) -> _Tagged | None:
        if _ABOUT_ANOTHER.fullmatch(tag) or not oci_place.TAG.fullmatch(tag):
            return None
        if self._tag is not None:
            match = self._tag.fullmatch(tag)
            return _Tagged(tag, match["version"], "") if match else None
        read = versions.read_tag(tag, self._product)
        return _Tagged(tag, read.version, read.label) if read else None

    def _contents(self, tagged: _Tagged) -> _Contents:
        """Return the files of a tag. Raises ReleaseError if its manifests are not what they should be."""
        manifest = self._manifest(tagged.tag, None)
        found: list[tuple[Manifest, Mapping[str, str]]] = [(manifest, {})] if not manifest.parts else []
        found += [(self._manifest(part.digest, part), part.platform) for part in manifest.parts]
        with failures.as_release_error(f"{self.describe()}:{tagged.tag}", "layers whose titles are names of files"):
            files = [file for one, platform in found for file in oci_manifest.files_of(one.layers, platform)]
            moments = [_moment(one.created) for one in (manifest, *(one for one, _platform in found)) if one.created]
            named = tuple(file for file in oci_manifest.told_apart(files) if is_file_name(file.name))
        return _Contents(named, max((moment for moment in moments if moment), default=None), manifest.version)

    def _manifest(self, reference: str, part: Descriptor | None) -> Manifest:
        """Return the manifest with this tag or digest, whose bytes are compared with every digest there is of them.

        *part* is what an index says of it. Raises ReleaseError where the registry contradicts itself.
        """
        response = self._get(f"{self._place}/manifests/{reference}", {"Accept": _ACCEPTED})
        what = f"the manifest {reference} of {self.describe()}"
        stated = response.headers.get("Docker-Content-Digest")
        for digest in filter(None, (stated, part.digest if part else None)):
            oci_manifest.refuse_other_bytes(response.content, digest, what)
        kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        read: Any = partial(oci_manifest.read_manifest, content_type=kind)
        manifest: Manifest = documents.json_of(response, f"{what}: a manifest of the OCI image-spec", read)
        if part and manifest.parts:
            raise ReleaseError(f"{what} is an index inside of an index", expected="a manifest of one platform")
        return manifest

    def _get(self, url: str, headers: dict[str, str]) -> requests.Response:
        """Return the answer, a success. Raises ReleaseError for any other, in the registry's own words."""
        response = self.session.get(url, headers=headers)
        if response.ok:
            return response
        if response.status_code == 404:
            raise ReleaseError(
                f"{self.describe()} does not exist, or is not public",
                found=f"HTTP status 404 for {redaction.redacted(url)}",
                fix="check the spelling; for what is not public, log in as with docker login, or use netrc",
            )
        raise refusal(response, self.session)

    def _release(self, tagged: _Tagged, contents: _Contents) -> Release:
        """Return the release of a tag. Registries do not date what they have: its date is what its publisher says."""
        meant = contents.version or ""
        version = meant if meant.replace("+", "_") == tagged.version else tagged.version
        return Release(
            version=version,
            assets=tuple(map(self._asset, contents.files)),
            published=contents.created,
            is_prerelease=is_prerelease(version),
        )

    def _asset(self, file: oci_manifest.File) -> Asset:
        algorithm, _colon, value = file.digest.partition(":")
        return Asset(
            name=file.name,
            url=asset_address(f"{self._place}/blobs/{file.digest}", file.name),
            size=file.size,
            digests={algorithm: value},
            platform=oci_manifest.metadata(file.platform),
        )

    def _session(self, access: RegistryAccess) -> requests.Session:
        made = transport.session(cache_root=self._cache_root)
        made.auth = access
        return made


def _without_moving(tagged: Sequence[_Tagged], exact: str | None) -> list[_Tagged]:
    """Return *tagged* without tags such as ``1`` and ``1.2`` beside ``1.2.3``: these move on to each newer release.

    The one that is asked for by name stays.
    """
    begun = {
        ".".join(steps[:count])
        for steps in (one.version.split(".") for one in tagged)
        for count in range(1, len(steps))
    }
    return [one for one in tagged if one.version not in begun or one.version == exact]


def _tags_in(document: Any) -> list[str]:
    """Return the tags in a list of them, which some registries leave null where there are none."""
    return [tag for tag in document["tags"] or () if isinstance(tag, str) and len(tag) <= oci_place.LONGEST_NAME]


def _moment(text: str) -> datetime | None:
    try:
        return versions.moment_of(text)
    except (ValueError, OverflowError):
        return None
