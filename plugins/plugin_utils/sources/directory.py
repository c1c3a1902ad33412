# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which releases lie in a folder of the user's own, on the controller or on a web server? Runs on the controller.

Three shapes are read, each with a sums file (``SHA256SUMS``, ``checksums.txt`` …) beside the assets::

    {"directory": "/srv/releases/uv"}                    0.9.5/uv-x86_64-….tar.gz  0.9.5/SHA256SUMS  0.9.6/…
    {"directory": "https://mirror.example.org/uv/v{version}/linux/"}
    {"directory": "/srv/uv"}                             uv-x86_64-….tar.gz  SHA256SUMS

The first two have one folder a version; which there are is read from the folder, or from the web server's index page.
A server that shows no index, and the third shape, where nothing tells the version, need an exact ``version`` in the
manifest. ``"sums": "tool_{version}_SHA256SUMS"`` names the sums file where it is none of the usual. A relative path
starts from the manifest's folder. On a web server the sums files alone tell which assets there are.

An asset without a digest in a sums file is an error, never an asset: a file was added and its sum forgotten, or worse.
Beside the assets there may be what speaks of them (signatures, attestations, SBOMs) or is read by people (.md, .txt).
Assets in a local folder have file: addresses, which no other machine can fetch: push them (``fetch_from: controller``).

Private to the collection: plugins and roles are its API, nothing in this file is.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote, unquote, urljoin, urlsplit, urlunsplit

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils import transport
from ansible_collections.pinned.release.plugins.plugin_utils.evidence import sums
from ansible_collections.pinned.release.plugins.plugin_utils.release import Asset, Release
from ansible_collections.pinned.release.plugins.plugin_utils.sources import versions
from ansible_collections.pinned.release.plugins.plugin_utils.sources.declared import (
    Declaration,
    is_file_name,
    listed,
    web_address,
)

if TYPE_CHECKING:
    import requests

#: Looked for where a server shows no index.
USUAL_SUMS = ("SHA256SUMS", "SHA256SUMS.txt", "sha256sums.txt", "checksums.txt", "SHASUMS256.txt", "SHA512SUMS")
#: A server is asked for the sums files of no more versions than this, the newest.
VERSIONS_LIMIT = 100
_SPEAKS_OF_ASSETS = re.compile(
    r"^\.|\.(?:asc|sig|sign|minisig|pem|crt|cert|pub|sigstore|bundle|att|intoto|jsonl|json|sbom|spdx|cdx|xml|txt|md|html?"
    r"|md5|sha1|sha256|sha384|sha512|b2)$|^(?:README|LICEN[CS]E|NOTICE|CHANGELOG|(?:MD5|SHA1|B2)SUMS)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Names:
    """What lies in a folder."""

    files: tuple[str, ...]
    folders: tuple[str, ...]


class Folder(Protocol):
    """A folder here or on a web server. Each method raises ReleaseError for what is neither there nor plainly not."""

    place: str
    """As a person would name it."""
    is_complete: bool
    """Whether its names are all there is, rather than what a page happens to link to."""

    def names(self) -> Names | None:
        """Return what lies in it, None where that is not shown."""

    def read(self, name: str) -> bytes | None:
        """Return the content of a file, None where there is none."""

    def listed(self, name: str, digests: Mapping[str, str]) -> Asset:
        """Return the file *name* as an asset."""

    def inside(self, path: str) -> Folder:
        """Return the folder *path* below this one."""


class DirectorySource:
    """A folder of releases, or of one release."""

    OPTIONS = frozenset({"sums"})

    def __init__(self, declaration: Declaration) -> None:
        """Prepare to read the declared folder. Raises ReleaseError if its address cannot be right."""
        self.session = transport.session(cache_root=declaration.cache_root)
        self._place = declaration.name
        before, placeholder, after = declaration.name.partition("{version}")
        self._is_by_version = bool(placeholder)
        start, _slash, self._before = before.rpartition("/") if placeholder else (before, "", "")
        self._after, _slash, self._rest = after.partition("/")
        component = f"{self._before}{{version}}{self._after}"
        self._pattern = versions.version_pattern(component, f"directory: {declaration.name}")
        self._root = _folder(start or "/", declaration, self.session)
        self._sums = declaration.options.get("sums")
        self._exact = declaration.exact
        self._is_wanted = declaration.is_wanted
        if self._exact is not None and not is_file_name(self._exact):
            raise ReleaseError(f"version {self._exact!r} cannot be the name of a folder in {self._place}")

    def describe(self) -> str:
        """Return the source as a person would name it."""
        return f"folder {transport.redacted(self._place) if '://' in self._place else self._place}"

    def releases(self) -> Sequence[Release]:
        """Return the folder's releases, newest version first. Raises ReleaseError."""
        with transport.understood(self.describe(), "a folder with assets and a sums file"):
            if not self._is_by_version and self._sums_names(self._root, self._exact or ""):
                if self._exact is None:
                    raise ReleaseError(
                        f"nothing in {self.describe()} tells which version its files are",
                        fix='name it in the manifest (version: "==1.2.3"), or give each version a folder of its own',
                    )
                return [self._release(self._exact, self._root)]
            found = self._versions()
            wanted = [version for version in found if self._is_wanted(version)]
            wanted = wanted if self._root.is_complete else wanted[:VERSIONS_LIMIT]
            # The others are named all the same: an error can then tell what there is.
            unwanted = [Release(version, ()) for version in found if not self._is_wanted(version)]
            return [*(self._release(version, self._of_version(version)) for version in wanted), *unwanted]

    def _versions(self) -> Sequence[str]:
        """Return the versions that have a folder, newest first; the exact one where folders cannot be listed."""
        names = self._root.names()
        if names is None and self._exact is not None:
            return [self._exact]
        if names is None:
            raise ReleaseError(
                f"{self._root.place} does not show which versions it has",
                fix='name one in the manifest (version: "==1.2.3"), or let the server show an index of the folder',
            )
        matches = (self._pattern.fullmatch(name) for name in names.folders)
        found = sorted((match["version"] for match in matches if match), key=versions.order_of, reverse=True)
        if not found:
            raise ReleaseError(
                f"{self.describe()} has no folder of a version, and no sums file",
                expected=f"folders like {self._before}1.2.3{self._after}",
                found=transport.shown(listed(names.folders)),
            )
        return found

    def _of_version(self, version: str) -> Folder:
        rest = self._rest.replace("{version}", version)
        return self._root.inside(f"{self._before}{version}{self._after}/{rest}".rstrip("/"))

    def _release(self, version: str, folder: Folder) -> Release:
        sums_names = self._sums_names(folder, version)
        digests = _digests(folder, sums_names)
        if not digests:
            raise ReleaseError(
                f"{folder.place} has no sums file, or none that names a file there",
                expected=self._sums or listed(USUAL_SUMS),
                fix="write one there:  sha256sum * > SHA256SUMS  (or name it: sums: my-{version}-sums.txt)",
            )
        names = folder.names() if folder.is_complete else None
        if names is not None:
            _refuse_unsummed(folder, names, {*digests, *sums_names})
            digests = {name: digests[name] for name in digests if name in names.files}
        assets = [folder.listed(name, digests[name]) for name in sorted(digests) if is_file_name(name)]
        return Release(version, tuple(assets), is_prerelease=versions.is_prerelease(version))

    def _sums_names(self, folder: Folder, version: str) -> Sequence[str]:
        """Return the names of the sums files of *folder*: the declared one, those it shows, or the usual ones."""
        if self._sums is not None:
            declared = self._sums.replace("{version}", version)
            return [declared] if folder.read(declared) is not None else []
        names = folder.names()
        shown = [name for name in names.files if sums.is_sums(name)] if names else []
        subjects = set(names.files) if names else set()
        speaking = [name for name in shown if sums.sidecar_subject(name) not in subjects]
        if speaking or folder.is_complete:
            return speaking
        return next(([name] for name in USUAL_SUMS if folder.read(name) is not None), [])


def _folder(start: str, declaration: Declaration, session: requests.Session) -> Folder:
    """Return the folder at *start* of the declared place, an address on the web or a path. Raises ReleaseError."""
    if "://" in declaration.name:
        return _WebFolder(web_address(start, "directory"), session)
    path = Path(start).expanduser()
    if not path.is_absolute():
        if declaration.base is None:
            raise ReleaseError(f"the folder {start!r} starts from nowhere", expected="an absolute path, or https://…")
        path = declaration.base / path
    return _LocalFolder(path)


def _digests(folder: Folder, sums_names: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return what all sums files of *folder* state, by file name. Raises ReleaseError where they disagree."""
    merged: dict[str, dict[str, str]] = {}
    for sums_name in sums_names:
        content = folder.read(sums_name)
        for name, digests in sums.parse_sums(sums.decode(content)).items() if content is not None else ():
            for algorithm, value in digests.items():
                if merged.setdefault(name, {}).setdefault(algorithm, value) != value:
                    raise ReleaseError(
                        f"the sums files of {folder.place} contradict each other about {name}",
                        expected=f"{algorithm} {merged[name][algorithm]}",
                        found=f"{algorithm} {value} in {sums_name}",
                    )
    return merged


def _refuse_unsummed(folder: Folder, names: Names, known: set[str]) -> None:
    """Raise ReleaseError for files of *folder* that no sums file knows and that are not about other files."""
    unknown = [name for name in names.files if name not in known and not _SPEAKS_OF_ASSETS.search(name)]
    if unknown:
        raise ReleaseError(
            f"{folder.place} has files without a digest in its sums file",
            found=transport.shown(listed(unknown)),
            fix="add them to the sums file if they are to be trusted, or take them away",
        )


class _LocalFolder:
    """A folder on the controller."""

    is_complete = True

    def __init__(self, path: Path) -> None:
        self._path = path
        self.place = str(path)

    def names(self) -> Names | None:
        try:
            with os.scandir(self._path) as entries:
                found = sorted((entry.name, entry.is_dir()) for entry in entries)
        except OSError as error:
            raise ReleaseError(f"the folder {self._path} could not be read", found=error.strerror) from error
        return Names(
            tuple(name for name, is_folder in found if not is_folder),
            tuple(name for name, is_folder in found if is_folder),
        )

    def read(self, name: str) -> bytes | None:
        try:
            with (self._path / name).open("rb") as file:
                return file.read(sums.LIMIT_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ReleaseError(f"{self._path / name} could not be read", found=error.strerror) from error

    def listed(self, name: str, digests: Mapping[str, str]) -> Asset:
        path = self._path / name
        return Asset(name, path.as_uri(), path.stat().st_size, digests)

    def inside(self, path: str) -> Folder:
        return _LocalFolder(self._path / path)


class _WebFolder:
    """A folder on a web server, seen by its index page if the server shows one."""

    is_complete = False

    def __init__(self, url: str, session: requests.Session) -> None:
        self._url = url.rstrip("/") + "/"
        self._session = session
        self.place = transport.redacted(self._url)
        self._answers: dict[str, requests.Response | None] = {}

    def names(self) -> Names | None:
        page = self._get(self._url)
        if page is None or "html" not in page.headers.get("Content-Type", ""):
            return None
        links = _Links()
        with transport.understood(self.place, "an index page"):
            links.feed(page.content[: sums.LIMIT_BYTES].decode("utf-8", errors="replace"))
        base = page.url.partition("?")[0]
        inside = [url[len(base) :] for url in (urljoin(base, link) for link in links.found) if url.startswith(base)]
        names = dict.fromkeys(unquote(name) for name in inside if re.fullmatch(r"[^/?#]+/?", name))
        return Names(
            tuple(name for name in names if is_file_name(name)),
            tuple(name[:-1] for name in names if name.endswith("/") and is_file_name(name[:-1])),
        )

    def read(self, name: str) -> bytes | None:
        response = self._get(self._address(name))
        return response.content if response is not None else None

    def _get(self, url: str) -> requests.Response | None:
        """Return the answer, asked for once; None where there is nothing, of which storage services say 403."""
        if url not in self._answers:
            response = self._session.get(url)
            is_absent = response.status_code in (403, 404, 410)
            if not is_absent and not response.ok:
                raise transport.refused(response)
            self._answers[url] = None if is_absent else response
        return self._answers[url]

    def listed(self, name: str, digests: Mapping[str, str]) -> Asset:
        return Asset(name, self._address(name), None, digests)

    def inside(self, path: str) -> Folder:
        return _WebFolder(self._address(path), self._session)

    def _address(self, path: str) -> str:
        parts = urlsplit(self._url)
        return urlunsplit(parts._replace(path=parts.path + quote(path, safe="/+~")))


class _Links(HTMLParser):
    """Collects where the links of a page lead."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if tag == "a" and name == "href" and value]
