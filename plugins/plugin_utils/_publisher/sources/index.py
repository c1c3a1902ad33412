# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which releases does a publisher's index of its own, one JSON document, list? Runs on the controller.

The manifest's expression (JMESPath, see expression.py) gives a list of mappings from the document::

    {"version": "1.2.3", "date": "2026-01-31T10:00:00Z", "sums": "SHA256SUMS",
     "assets": [{"name": "tool-linux.zip", "url": …, "sha256": …, "sha512": …, "digest": "sha256:…", "size": 5}]}

Only ``version`` must be there; what is null is as if absent, and other keys mean nothing. Entries of one version make
one release. Without assets, they are the files that its sums file names, beside that file. ``tag: go{version}`` says
what versions look like in the index; what does not look so is left out. An asset may also be a text: its name or
address. Relative addresses, and names alone, are resolved (RFC 3986, section 5) from the address of the index, or from
``base``, in which ``{version}`` may stand.

What the expression gives is a stranger's, and held to form, type and number before anything is made of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any
from urllib.parse import quote, unquote, urljoin, urlsplit, urlunsplit

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import documents, failures, redaction, transport
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import sums
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources import versions
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.beside import beside, found_at
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.declared import (
    Declaration,
    asset_address,
    is_file_name,
    listed,
    refuse_too_many,
    web_address,
)
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.expression import applied, compiled
from ansible_collections.pinned.release.plugins.plugin_utils._values import forms
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Document, Place
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset, Release
from ansible_collections.pinned.release.plugins.plugin_utils._values.version import is_prerelease, order_of

#: As many as a forge may list.
RELEASES_LIMIT = 10_000
LONGEST_VERSION = 255
#: A server is asked for the sums files of at most so many versions, the newest, where only these name the assets.
VERSIONS_LIMIT = 100
_EXAMPLE = "a list of releases, such as [{version: 1.2.3, assets: [{name: tool.zip, url: https://…, sha256: …}]}]"
_ANY_KEY = forms.Form(re.compile(""), "a text")
_MOMENT = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[Tt ](?P<time>[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.[0-9]{1,9})?(?P<zone>[Zz]|[+-][0-9]{2}:?[0-9]{2}))?"
)
_DIGESTS = {
    algorithm: forms.Form(re.compile(rf"[0-9A-Fa-f]{{{digits}}}\Z"), f"a digest: {digits} hexadecimal digits")
    for digits, algorithm in sums.ALGORITHMS.items()
}
_DIGEST = forms.Form(
    re.compile(r"[A-Za-z0-9_]{1,20}:[0-9A-Fa-f]{8,128}\Z"),
    "an algorithm and a digest in hexadecimal digits, such as sha256:…",
)


@dataclass(frozen=True)
class _Entry:
    """What one item of the list says of a version. Nothing but that if the manifest does not allow the version.

    *assets* is None where the item says nothing of them.
    """

    version: str
    published: datetime | None = None
    assets: tuple[Asset, ...] | None = None
    sums: tuple[Asset, ...] = ()


class IndexSource:
    """The releases that a JSON document lists."""

    OPTIONS = frozenset({"base", "releases", "tag"})

    def __init__(self, declaration: Declaration) -> None:
        """Prepare to ask for the declared index. Raises ReleaseError if an address, form or expression is not valid."""
        self._index = web_address(declaration.name, "the index")
        self._expression = compiled(declaration.options.get("releases", ""))
        self._base = _checked_base(self._index, declaration.options.get("base", ""))
        tag = declaration.options.get("tag")
        self._form = versions.version_pattern(tag, "tag") if tag else versions.PLAIN
        self._is_wanted = declaration.is_wanted
        self.session = transport.session(cache_root=declaration.cache_root)

    def describe(self) -> str:
        """Return the source as a person would name it."""
        return f"the index at {redaction.redacted(self._index)}"

    def releases(self) -> Sequence[Release]:
        """Return the releases that the expression gives, in the order of the index.

        Raises ReleaseError if the index is not served or no JSON, or if it does not give such a list.
        """
        response = self.session.get(self._index)
        if not response.ok:
            raise failures.refused(response, self.session)
        by_version = documents.json_of(response, "a document in JSON", self._taken)
        bare = [version for version, entries in by_version.items() if _is_bare(entries)]
        beyond = set(sorted(bare, key=order_of, reverse=True)[VERSIONS_LIMIT:])
        found: list[Release] = []
        assets = 0
        for version in (version for version in by_version if version not in beyond):
            found.append(self._release(version, by_version[version]))
            assets += len(found[-1].assets)
            refuse_too_many(assets, self.describe())
        return found

    def _taken(self, content: Any) -> dict[str, list[_Entry]]:
        """Return what the expression gives from the *content* of the index, by version."""
        given = applied(self._expression, content, self.describe())
        document = Document(
            f"what the expression gives from {self.describe()}", fix="correct releases in the manifest's source"
        )
        places = Place(given, document).items(lambda item: item, least=1, expected=_EXAMPLE)
        if len(places) > RELEASES_LIMIT:
            raise ReleaseError(
                f"{self.describe()} lists too many releases",
                expected=f"at most {RELEASES_LIMIT}",
                found=f"{len(places)}",
                fix='let the expression take those that are wanted:  releases: "[?stable].{...}"',
            )
        by_version: dict[str, list[_Entry]] = {}
        files = 0
        for entry in filter(None, map(self._entry, places)):
            by_version.setdefault(entry.version, []).append(entry)
            files += len(entry.assets or ()) + len(entry.sums)
            refuse_too_many(files, self.describe())
        if not by_version:
            raise self._without_versions(places)
        if not files and any(map(self._is_wanted, by_version)):
            raise Place(given, document).misfit("assets of the releases, or sums:  assets: [{name: ..., url: ...}]")
        return by_version

    def _entry(self, place: Place) -> _Entry | None:
        """Return what an item of the list says, None if its version does not look as versions do."""
        fields = _given(place, "a mapping with version and assets")
        if "version" not in fields:
            raise place.misfit("the key version")
        text = fields["version"].text()
        matched = self._form.fullmatch(text) if len(text) <= LONGEST_VERSION else None
        if matched is None:
            return None
        version = matched["version"]
        if not self._is_wanted(version):
            return _Entry(version)
        base = urljoin(self._index, self._base.replace("{version}", version))
        items = fields["assets"].items(lambda item: item) if "assets" in fields else None
        refuse_too_many(len(items or ()), self.describe())
        return _Entry(
            version,
            _moment(fields["date"]) if "date" in fields else None,
            None if items is None else tuple(_asset(item, base) for item in items),
            (_named(fields["sums"], base),) if "sums" in fields else (),
        )

    def _release(self, version: str, entries: Sequence[_Entry]) -> Release:
        """Return the release that *entries* of one version make; it is as old as the youngest of them."""
        sums_files = _distinct(file for entry in entries for file in entry.sums)
        sums.refuse_too_many(len(sums_files), f"{version} of {self.describe()}")
        assets = _distinct(asset for entry in entries for asset in entry.assets or ())
        if _is_bare(entries):
            assets = _distinct(asset for file in sums_files.values() for asset in self._named_in(file))
        moments = [entry.published for entry in entries if entry.published]
        return Release(
            version,
            assets=tuple(asset for name, asset in assets.items() if name not in sums_files),
            published=max(moments) if len(moments) == len(entries) else None,
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

    def _without_versions(self, places: Sequence[Place]) -> ReleaseError:
        """Return the error for a list of *places* in which nothing looks as versions do, with the form that may."""
        found = [str(place.value["version"]) for place in places]
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


def _is_bare(entries: Iterable[_Entry]) -> bool:
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


def _given(place: Place, expected: str) -> Mapping[str, Place]:
    """Return what is given in the mapping at *place*, by key: null is what expressions make of what is not there."""
    fields = place.mapping(lambda field: field, expected=expected, keys=_ANY_KEY)
    return {key: field for key, field in fields.items() if field.value is not None}


def _asset(place: Place, base: str) -> Asset:
    """Return the asset at *place*, a mapping, or a text as for _named()."""
    if isinstance(place.value, str):
        return _named(place, base)
    fields = _given(place, "the name of a file, or a mapping with name, url, sha256, sha512, digest and size")
    if "url" in fields:
        url = _address(fields["url"], base, fields["url"].text())
        name = fields["name"].text() if "name" in fields else _last_step(url)
    elif "name" in fields:
        name = fields["name"].text()
        url = _address(fields["name"], base, quote(name, safe="+~"))
    else:
        raise place.misfit("the key name, or url")
    size = fields["size"].number() if "size" in fields else None
    return Asset(_file_name(place, name), url, size, _digests(fields))


def _named(place: Place, base: str) -> Asset:
    """Return the file that the text at *place* names: by its name, or by its address."""
    text = place.text()
    url = _address(place, base, quote(text, safe="+~") if is_file_name(text) else text)
    return Asset(_file_name(place, text if is_file_name(text) else _last_step(url)), url)


def _address(place: Place, base: str, reference: str) -> str:
    """Return the address that the *reference* at *place* means. Raises ReleaseError if that is none on the web."""
    with failures.as_release_error(place.way, forms.URL.words):
        url = asset_address(urljoin(base, reference), place.way)
    return place._replace(value=url).url()


def _last_step(url: str) -> str:
    return unquote(urlsplit(url).path.rpartition("/")[2])


def _file_name(place: Place, name: str) -> str:
    if not is_file_name(name):
        raise place.misfit(forms.FILE_NAME.words, redaction.shown(name) or "an address that ends with /")
    return name


def _digests(fields: Mapping[str, Place]) -> dict[str, str]:
    """Return the digests that the *fields* of an asset state. Raises ReleaseError where they contradict each other."""
    stated = {name: fields[name].text(form).lower() for name, form in _DIGESTS.items() if name in fields}
    if "digest" not in fields:
        return stated
    algorithm, _colon, value = fields["digest"].text(_DIGEST).lower().partition(":")
    if algorithm in _DIGESTS:
        fields["digest"]._replace(value=value).text(_DIGESTS[algorithm])
    if stated.setdefault(algorithm, value) != value:
        raise fields["digest"].misfit(f"the digest that {algorithm} states: {stated[algorithm]}")
    return stated


def _moment(place: Place) -> datetime:
    """Return the moment at *place* in UTC; a day without a time counts as its end, when everything of it is out."""
    text = place.text()
    matched = _MOMENT.fullmatch(text)
    try:
        if matched is None:
            raise ValueError(text)
        if not matched["time"]:
            return datetime.fromisoformat(f"{matched['day']}T00:00:00+00:00") + timedelta(days=1)
        zone = re.sub("[Zz]", "+0000", matched["zone"]).replace(":", "")
        moment = datetime.strptime(f"{matched['day']}T{matched['time']}{zone}", "%Y-%m-%dT%H:%M:%S%z")
        return moment.astimezone(timezone.utc)
    except (ValueError, OverflowError):
        raise place.misfit("a time such as 2026-01-31T10:00:00Z, or a day such as 2026-01-31") from None


def _distinct(files: Iterable[Asset]) -> dict[str, Asset]:
    """Return *files* by name. Raises ReleaseError for two of one name that are not the same."""
    found: dict[str, Asset] = {}
    for file in files:
        if found.setdefault(file.name, file) != file:
            raise ReleaseError(
                f"two files of one release are called {file.name}",
                expected=redaction.redacted(found[file.name].url),
                found=redaction.redacted(file.url),
                fix="let the expression take the one that is meant, or give each a name of its own (name:)",
            )
    return found
