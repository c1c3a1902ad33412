# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does a publisher's own index say about one version? Entries in the form of index.py. Pure; on the controller.

Relative addresses, and names alone, are resolved as RFC 3986, section 5, says. All of it is a stranger's, and held to
form, type and number before anything is made of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from urllib.parse import quote, unquote, urljoin, urlsplit

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import failures, redaction
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import sums
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.declared import (
    asset_address,
    is_file_name,
    refuse_too_many,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values import forms
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Place
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset

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
class Entry:
    """What one item of the list says of a version. Nothing but that if the manifest does not allow the version.

    *assets* is None where the item says nothing of them.
    """

    version: str
    published: datetime | None = None
    assets: tuple[Asset, ...] | None = None
    sums: tuple[Asset, ...] = ()


def read_entry(place: Place, version: str, base: str) -> Entry:
    """Return what the mapping at *place*, or a list of assets alone, says of a *version*; addresses start from *base*.

    Raises ReleaseError for whatever has another form.
    """
    if isinstance(place.value, list):
        return Entry(version, assets=_assets(place, base))
    fields = given(place, "a mapping with assets, or a list of them")
    return Entry(
        version,
        _moment(fields["date"]) if "date" in fields else None,
        _assets(fields["assets"], base) if "assets" in fields else None,
        (_named(fields["sums"], base),) if "sums" in fields else (),
    )


def _assets(place: Place, base: str) -> tuple[Asset, ...]:
    items = place.items(lambda item: item)
    refuse_too_many(len(items), "one version of the index")
    return tuple(_asset(item, base) for item in items)


def given(place: Place, expected: str) -> Mapping[str, Place]:
    """Return what is given in the mapping at *place*, by key: null is what expressions make of what is not there."""
    fields = place.mapping(lambda field: field, expected=expected, keys=_ANY_KEY)
    return {key: field for key, field in fields.items() if field.value is not None}


def _asset(place: Place, base: str) -> Asset:
    """Return the asset at *place*, a mapping, or a text as for _named()."""
    if isinstance(place.value, str):
        return _named(place, base)
    fields = given(place, "the name of a file, or a mapping with name, url, sha256, sha512, digest and size")
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


def distinct(files: Iterable[Asset]) -> dict[str, Asset]:
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
