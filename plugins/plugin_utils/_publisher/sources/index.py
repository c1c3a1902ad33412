# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which releases does a publisher's index of its own, in JSON, list? Runs on the controller.

The manifest's expression (JMESPath, see expression.py) gives a list of mappings from the document::

    {"version": "1.2.3", "date": "2026-01-31T10:00:00Z", "sums": "SHA256SUMS",
     "assets": [{"name": "tool-linux.zip", "url": …, "sha256": …, "sha512": …, "digest": "sha256:…", "size": 5}]}

Only ``version`` must be there; what is null is as if absent, and other keys mean nothing. Entries of one version make
one release. Without assets, they are the files that its sums file names, beside that file. ``tag: go{version}`` says
what versions look like in the index; what does not look so is left out. An asset may also be a text: its name or
address. Relative addresses, and names alone, are resolved (RFC 3986, section 5) from the address of the index, or from
``base``, in which ``{version}`` may stand.

Where the document does not list releases, ``versions`` says which there are: an expression that gives a list of texts
from it (``keys(@)``), or another source. Then ``releases`` gives what there is of one version, such a mapping without
version or its list of assets, or null; in its texts and quoted names, and in the address of the index, ``{version}``
stands for that version.

What the expression gives is a stranger's, and held to form, type and number before anything is made of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import documents, failures, redaction, transport
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import sums
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources import versions
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.beside import beside, found_at
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.declared import (
    Declaration,
    is_file_name,
    listed,
    refuse_too_many,
    web_address,
)
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.expression import applied, compiled
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.index_entry import (
    Entry,
    distinct,
    given,
    read_entry,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Document, Place
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset, Release
from ansible_collections.pinned.release.plugins.plugin_utils._values.version import is_prerelease, order_of

if TYPE_CHECKING:
    import requests

#: As many as a forge may list.
RELEASES_LIMIT = 10_000
LONGEST_VERSION = 255
#: A server is asked for the sums files of at most so many versions, the newest, where only these name the assets.
VERSIONS_LIMIT = 100
_EXAMPLE = "a list of releases, such as [{version: 1.2.3, assets: [{name: tool.zip, url: https://…, sha256: …}]}]"


class IndexSource:
    """The releases that documents in JSON list: one for all of them, or one for each."""

    OPTIONS = frozenset({"base", "releases", "tag", "versions"})

    def __init__(self, declaration: Declaration) -> None:
        """Prepare to ask for the declared index. Raises ReleaseError if an address, form or expression is not valid."""
        self._index = web_address(declaration.name, "the index")
        self._expression = compiled(declaration.options.get("releases", ""))
        listing = declaration.options.get("versions")
        self._listing_expression = compiled(listing) if listing else None
        self._versions = declaration.versions
        self._is_list = declaration.is_list
        _refuse_unfillable(declaration)
        self._base = _checked_base(self._index, declaration.options.get("base", ""))
        tag = declaration.options.get("tag")
        self._form = versions.version_pattern(tag, "tag") if tag else versions.PLAIN
        self._is_wanted = declaration.is_wanted
        self.session = transport.session(cache_root=declaration.cache_root)

    def describe(self) -> str:
        """Return the source as a person would name it."""
        return f"the index at {redaction.redacted(self._index)}"

    def releases(self) -> Sequence[Release]:
        """Return the releases that the expression gives, in the order of the index, or of the source of its versions.

        Raises ReleaseError if the index is not served or no JSON, or if it does not give such a list.
        """
        if self._versions is not None:
            return self._of_listed(self._versions.releases())
        take = self._taken if self._listing_expression is None else self._taken_by_version
        return self._made(documents.json_of(self._answer(self._index), "a document in JSON", take))

    def _of_listed(self, known: Sequence[Release]) -> list[Release]:
        """Return the releases that another source knows. A document of one of them is asked for when that is chosen."""
        if "{version}" in self._index:
            return [replace(_as_listed(Release(one.version, ()), one), complete=self._completed) for one in known]
        by_version = documents.json_of(
            self._answer(self._index),
            "a document in JSON",
            lambda content: self._entries(content, [one.version for one in known]),
        )
        of_version = {one.version: one for one in known}
        return [_as_listed(release, of_version[release.version]) for release in self._made(by_version)]

    def _completed(self, release: Release) -> Release:
        """Return *release* as the document of its version has it. Raises ReleaseError if there is none, or nothing."""
        version = release.version
        answer = self._answer(self._index.replace("{version}", quote(version, safe="+~")))
        made = self._made(
            documents.json_of(answer, "a document in JSON", lambda content: self._entries(content, [version]))
        )
        if not made:
            raise self._place(None, version).misfit("a mapping with assets, or a list of them")
        return _as_listed(made[0], release)

    def _made(self, by_version: Mapping[str, Sequence[Entry]]) -> list[Release]:
        """Return the releases that the entries make; without their files if only versions are asked of this source."""
        if self._is_list:
            return [
                Release(version, (), published=_published(entries), is_prerelease=is_prerelease(version))
                for version, entries in by_version.items()
            ]
        bare = [version for version, entries in by_version.items() if _is_bare(entries)]
        beyond = set(sorted(bare, key=order_of, reverse=True)[VERSIONS_LIMIT:])
        found: list[Release] = []
        assets = 0
        for version in (version for version in by_version if version not in beyond):
            found.append(self._release(version, by_version[version]))
            assets += len(found[-1].assets)
            refuse_too_many(assets, self.describe())
        return found

    def _answer(self, url: str) -> requests.Response:
        response = self.session.get(url)
        if not response.ok:
            raise failures.refused(response, self.session)
        return response

    def _place(self, found: Any, version: str = "") -> Place:
        of_version = f" for {version}" if version else ""
        return Place(
            found,
            Document(
                f"what the expression gives from {self.describe()}{of_version}",
                fix="correct releases in the manifest's source",
            ),
        )

    def _taken(self, content: Any) -> dict[str, list[Entry]]:
        """Return what the expression gives from the *content* of the index, by version."""
        place = self._place(applied(self._expression, content, self.describe()))
        places = self._items(place, _EXAMPLE)
        by_version: dict[str, list[Entry]] = {}
        files = 0
        for entry in filter(None, map(self._entry, places)):
            by_version.setdefault(entry.version, []).append(entry)
            files += len(entry.assets or ()) + len(entry.sums)
            refuse_too_many(files, self.describe())
        if not by_version:
            raise self._without_versions([str(place.value["version"]) for place in places])
        if not files and not self._is_list and any(map(self._is_wanted, by_version)):
            raise place.misfit("assets of the releases, or sums:  assets: [{name: ..., url: ...}]")
        return by_version

    def _items(self, place: Place, expected: str) -> tuple[Place, ...]:
        """Return what a list is of. Raises ReleaseError for one that is empty, or longer than any list of releases."""
        places = place.items(lambda item: item, least=1, expected=expected)
        if len(places) > RELEASES_LIMIT:
            raise ReleaseError(
                f"{self.describe()} lists too many releases",
                expected=f"at most {RELEASES_LIMIT}",
                found=f"{len(places)}",
                fix='let the expression take those that are wanted:  releases: "[?stable].{...}"',
            )
        return places

    def _entry(self, place: Place) -> Entry | None:
        """Return what an item of the list says, None if its version does not look as versions do."""
        fields = given(place, "a mapping with version and assets")
        if "version" not in fields:
            raise place.misfit("the key version")
        version = self._version_in(fields["version"].text())
        if version is None:
            return None
        return read_entry(place, version, self._start(version)) if self._is_wanted(version) else Entry(version)

    def _version_in(self, text: str) -> str | None:
        matched = self._form.fullmatch(text) if len(text) <= LONGEST_VERSION else None
        return matched["version"] if matched else None

    def _start(self, version: str) -> str:
        """Return the address that those of the *version* are relative to."""
        return urljoin(self._index, self._base).replace("{version}", version)

    def _taken_by_version(self, content: Any) -> dict[str, list[Entry]]:
        """Return what the expression gives from the *content* for each of the versions that the other one gives."""
        place = self._place(applied(self._listing_expression, content, self.describe()))
        texts = [item.text() for item in self._items(place, 'a list of versions, such as ["1.2.3"]')]
        found = dict.fromkeys(filter(None, map(self._version_in, texts)))
        if not found:
            raise self._without_versions(texts)
        return self._entries(content, found)

    def _entries(self, content: Any, found: Iterable[str]) -> dict[str, list[Entry]]:
        """Return what the expression gives from the *content* for each version, without those of which it has nothing.

        Of a version that the manifest does not allow, nothing but that is known.
        """
        by_version: dict[str, list[Entry]] = {}
        files = 0
        for version in found:
            entry: Entry | None = Entry(version)
            if self._is_wanted(version):
                what = applied(self._expression, content, self.describe(), version)
                entry = None if what is None else read_entry(self._place(what, version), version, self._start(version))
            if entry is not None:
                by_version[version] = [entry]
                files += len(entry.assets or ()) + len(entry.sums)
                refuse_too_many(files, self.describe())
        return by_version

    def _release(self, version: str, entries: Sequence[Entry]) -> Release:
        """Return the release that *entries* of one version make; it is as old as the youngest of them."""
        sums_files = distinct(file for entry in entries for file in entry.sums)
        sums.refuse_too_many(len(sums_files), f"{version} of {self.describe()}")
        assets = distinct(asset for entry in entries for asset in entry.assets or ())
        if _is_bare(entries):
            assets = distinct(asset for file in sums_files.values() for asset in self._named_in(file))
        return Release(
            version,
            assets=tuple(asset for name, asset in assets.items() if name not in sums_files),
            published=_published(entries),
            is_prerelease=is_prerelease(version),
            sums=tuple(sums_files.values()),
            beside=partial(beside, (*assets.values(), *sums_files.values()), self.session),
        )

    def _named_in(self, file: Asset) -> list[Asset]:
        """Return the files that a sums *file* names, which lie beside it; none if it is not there."""
        response = found_at(file.url, self.session)
        if response is None:
            return []
        names = sums.parse_sums(sums.decode(response.content), sums.sidecar_subject(file.name)).digests
        refuse_too_many(len(names), self.describe())
        folder = urlsplit(file.url)._replace(query="")
        path = folder.path.rpartition("/")[0]
        return [
            Asset(name, urlunsplit(folder._replace(path=f"{path}/{quote(name, safe='+~')}")))
            for name in names
            if is_file_name(name)
        ]

    def _without_versions(self, found: Sequence[str]) -> ReleaseError:
        """Return the error where nothing of what was *found* looks as versions do, with the form that may."""
        tagged = versions.read_tag(found[0][:LONGEST_VERSION], "")
        form = (
            found[0].replace(tagged.version, "{version}", 1)
            if tagged and tagged.version in found[0]
            else "cli-v{version}"
        )
        return ReleaseError(
            f"{self.describe()} lists no version of the form that the manifest says",
            expected="versions such as 1.2.3, or those that match tag",
            found=redaction.shown(listed(found)),
            fix=f"say what versions look like there, for example  tag: {redaction.shown(form, 60)}",
        )


def _refuse_unfillable(declaration: Declaration) -> None:
    """Raise ReleaseError where ``{version}`` stands and no list of versions fills it in."""
    has_list = declaration.versions is not None
    if "{version}" in declaration.name and not has_list:
        raise ReleaseError(
            "the index has an address for each version, and no list of them",
            expected="another source that lists the versions, such as  versions: {github: owner/name}",
            found=redaction.redacted(declaration.name),
        )
    if "{version}" in declaration.options.get("releases", "") and not (has_list or "versions" in declaration.options):
        raise ReleaseError(
            "the expression is about one version, and there is no list of versions",
            expected='versions beside it: an expression such as "keys(@)", or another source',
            found=redaction.shown(declaration.options["releases"]),
        )


def _published(entries: Sequence[Entry]) -> datetime | None:
    """Return when the youngest of *entries* was published, None if not all of them say it."""
    moments = [entry.published for entry in entries if entry.published]
    return max(moments) if len(moments) == len(entries) else None


def _as_listed(release: Release, listed: Release) -> Release:
    """Return *release* with what the source of its versions says of it. The later of two dates counts."""
    moments = [moment for moment in (release.published, listed.published) if moment]
    return replace(
        release,
        published=max(moments, default=None),
        is_prerelease=listed.is_prerelease,
        is_yanked=listed.is_yanked,
        tag=listed.tag,
    )


def _is_bare(entries: Iterable[Entry]) -> bool:
    """Tell whether *entries* of one version name a sums file, and say nothing of assets."""
    return any(entry.sums for entry in entries) and all(entry.assets is None for entry in entries)


def _checked_base(index: str, base: str) -> str:
    """Return where relative addresses start. Raises ReleaseError if *base*, seen from the *index*, is no web folder."""
    if base and not base.endswith("/"):
        raise ReleaseError(
            "base is no folder",
            expected="an address that ends with /, such as {version}/",
            found=redaction.redacted(base),
        )
    with failures.as_release_error("base", "an address, such as https://example.org/{version}/"):
        web_address(urljoin(index, base.replace("{version}", "1.2.3")), "what base begins")
    return base
