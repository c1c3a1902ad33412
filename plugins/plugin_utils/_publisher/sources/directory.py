# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which releases lie in a folder of the user's own, on the controller or on a web server? Runs on the controller.

Three shapes are read, each with a sums file (``SHA256SUMS``, ``checksums.txt`` …), or a sidecar for each asset
(``X.sha256``, ``X.sha256sum``, ``X.sha256.txt``), beside the assets::

    {"directory": "/srv/releases/uv"}                    0.9.5/uv-x86_64-….tar.gz  0.9.5/SHA256SUMS  0.9.6/…
    {"directory": "https://mirror.example.org/uv/v{version}/linux/"}
    {"directory": "/srv/uv"}                             uv-x86_64-….tar.gz  SHA256SUMS

The first two have a folder for each version; the versions are read from the folder, or from the web server's index
page. A server without an index, and the third shape, which does not say the version, need an exact ``version`` in the
manifest. ``"sums": "tool_{version}_SHA256SUMS"`` names the sums file if it has an unusual name, or a sidecar, whose
asset is then the one that its name says. A relative path starts from the manifest's folder. On a web server, the assets
are those that the sums files list, and those that its index shows beside their sidecars.

A file without a digest is an error, never an asset: its sum was forgotten, or the file smuggled in. Beside the assets
there may be files about them (signatures, attestations, SBOMs) and files for people (.md, .txt). Assets in a local
folder have file: addresses. The controller sends them to hosts.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._naming.naming import release_number
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import failures, redaction, transport
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import sums
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources import versions
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.declared import (
    Declaration,
    is_file_name,
    listed,
    refuse_too_many,
)
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.release_folder import (
    Folder,
    Names,
    open_folder,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset, Release
from ansible_collections.pinned.release.plugins.plugin_utils._values.version import is_prerelease, order_of

#: The sums files to look for on a server without an index.
USUAL_SUMS = ("SHA256SUMS", "SHA256SUMS.txt", "sha256sums.txt", "checksums.txt", "SHASUMS256.txt", "SHA512SUMS")
#: The ends of the sidecars to look for there, if the manifest names the asset.
USUAL_SIDECARS = (".sha256", ".sha256sum", ".sha256.txt", ".sha512")
#: A server is asked for the sums files of at most so many versions, the newest.
VERSIONS_LIMIT = 100
_SPEAKS_OF_ASSETS = re.compile(
    r"^\.|\.(?:asc|sig|sign|minisig|pem|crt|cert|pub|sigstore|bundle|att|intoto|jsonl|json|sbom|spdx|cdx|xml|txt|md|html?"
    r"|md5|sha1|sha256|sha384|sha512|b2)$|^(?:README|LICEN[CS]E|NOTICE|CHANGELOG|(?:MD5|SHA1|B2)SUMS)",
    re.IGNORECASE,
)


class DirectorySource:
    """A folder of releases, or of one release."""

    OPTIONS = frozenset({"sums"})

    def __init__(self, declaration: Declaration) -> None:
        """Prepare to read the declared folder. Raises ReleaseError if its address is not valid."""
        self.session = transport.session(cache_root=declaration.cache_root)
        self._place = declaration.name
        before, placeholder, after = declaration.name.partition("{version}")
        self._is_by_version = bool(placeholder)
        start, _slash, self._before = before.rpartition("/") if placeholder else (before, "", "")
        self._start = start.rstrip("/")
        self._after, _slash, self._rest = after.partition("/")
        component = f"{self._before}{{version}}{self._after}"
        self._pattern = versions.version_pattern(component, f"directory: {declaration.name}")
        self._root = open_folder(start or "/", declaration, self.session)
        self._sums = _sums_name(declaration.options.get("sums"))
        self._asset = declaration.asset
        self._exact = declaration.exact
        self._is_wanted = declaration.is_wanted
        if self._exact is not None and not is_file_name(self._exact):
            raise ReleaseError(f"version {self._exact!r} cannot be the name of a folder in {self._place}")

    def describe(self) -> str:
        """Return the source as a person would name it."""
        return f"folder {_shown(self._place)}"

    def releases(self) -> Sequence[Release]:
        """Return the folder's releases, newest version first.

        Raises ReleaseError if versions, sums files or digests are missing or contradict each other.
        """
        with failures.as_release_error(self.describe(), "a folder with assets and a sums file"):
            if not self._is_by_version and self._has_digests(self._root):
                if self._exact is None:
                    raise ReleaseError(
                        f"{self.describe()} does not say which version its files are",
                        fix='name it in the manifest (version: "==1.2.3"), or give each version a folder of its own',
                    )
                return [self._release(self._exact, self._root)]
            found = self._versions()
            wanted = [version for version in found if self._is_wanted(version)]
            wanted = wanted if self._root.is_complete else wanted[:VERSIONS_LIMIT]
            # The other versions are named, too, so that an error can list them.
            unwanted = [Release(version, ()) for version in found if not self._is_wanted(version)]
            releases: list[Release] = []
            assets = 0
            for version in wanted:
                releases.append(self._release(version, self._of_version(version)))
                assets += len(releases[-1].assets)
                refuse_too_many(assets, self.describe())
            return [*releases, *unwanted]

    def _versions(self) -> Sequence[str]:
        """Return the versions that have a folder, newest first; only the exact one if folders cannot be listed."""
        names = self._root.names()
        if names is None and self._exact is not None:
            return [self._exact]
        if names is None:
            raise ReleaseError(
                f"{self._root.place} does not show which versions it has",
                fix='name one in the manifest (version: "==1.2.3"), or let the server show an index of the folder',
            )
        matches = (self._pattern.fullmatch(name) for name in names.folders)
        found = sorted((match["version"] for match in matches if match), key=order_of, reverse=True)
        if not found:
            raise ReleaseError(
                f"{self.describe()} has no folder of a version, and no sums file",
                expected=f"folders like {self._before}1.2.3{self._after}",
                found=redaction.shown(listed(names.folders)),
                fix=self._fix(names.folders),
            )
        return found

    def _fix(self, folders: Sequence[str]) -> str | None:
        """Return the declaration by which most of the *folders* are those of versions; None where none would be."""
        templates = Counter(filter(None, map(_template, folders)))
        if not templates:
            return None
        place = "/".join([self._start, templates.most_common(1)[0][0], *filter(None, [self._rest])])
        return f'if these are versions, say how they are called: directory: "{_shown(place)}"'

    def _of_version(self, version: str) -> Folder:
        rest = self._rest.replace("{version}", version)
        return self._root.inside(f"{self._before}{version}{self._after}/{rest}".rstrip("/"))

    def _has_digests(self, folder: Folder) -> bool:
        return bool(self._sums_names(folder, self._exact or "") or _sidecars(folder.names()))

    def _release(self, version: str, folder: Folder) -> Release:
        sums_names = self._sums_names(folder, version)
        sidecars = _sidecars(folder.names())
        known = {*_digests(folder, sums_names), *sidecars.values()}
        if not known:
            raise ReleaseError(
                f"{folder.place} has no sums file, or none that names a file there",
                expected=f"{self._sums or listed(USUAL_SUMS)}, or a file such as NAME.sha256 beside each asset",
                fix="write one there:  sha256sum * > SHA256SUMS  (or name it: sums: my-{version}-sums.txt, or "
                "sums: NAME.sha256)",
            )
        names = folder.names() if folder.is_complete else None
        if names is not None:
            _refuse_unsummed(folder, names, {*known, *sidecars, *sums_names})
            known &= {*names.files}
        return Release(
            version,
            assets=_listed(folder, {*known, *sidecars} - {*sums_names}),
            is_prerelease=is_prerelease(version),
            sums=_listed(folder, sums_names),
            beside=partial(_beside, folder),
        )

    def _sums_names(self, folder: Folder, version: str) -> Sequence[str]:
        """Return the names of the sums files of *folder*: the declared one, those it shows, or the usual ones."""
        if self._sums is not None:
            declared = self._sums.replace("{version}", version)
            return [declared] if folder.read(declared) is not None else []
        names = folder.names()
        subjects = set(names.files) if names else set()
        shown = [name for name in subjects if sums.is_sums(name) or sums.is_clear_signed(name, subjects)]
        speaking = sorted(name for name in shown if sums.sidecar_subject(sums.plain_name(name)) not in subjects)
        sums.refuse_too_many(len(speaking), folder.place)
        if speaking or folder.is_complete or _sidecars(names):
            return speaking
        usual = (*USUAL_SUMS, *self._usual_sidecars(version))
        return next(([name] for name in usual if folder.read(name) is not None), [])

    def _usual_sidecars(self, version: str) -> Sequence[str]:
        """Return the names that a sidecar of the manifest's ``asset:`` may have, if that is a name and no pattern."""
        if self._asset is None or set(self._asset) & set("*?[") or not is_file_name(self._asset):
            return []
        name = self._asset.replace("{version}", release_number(version))
        return [f"{name}{ending}" for ending in USUAL_SIDECARS]


def _shown(place: str) -> str:
    return redaction.redacted(place) if "://" in place else place


def _template(folder: str) -> str | None:
    """Return the name of a *folder* with ``{version}`` where it says one, with a dot in it as no ``arm64`` has."""
    tag = versions.read_tag(folder, "")
    before, version, after = folder.rpartition(tag.version) if tag else ("", "", "")
    return f"{before}{{version}}{after}" if "." in version else None


def _sums_name(declared: str | None) -> str | None:
    """Return the *declared* name of the sums file. Raises ReleaseError if it is a path: assets lie beside that file."""
    if declared is not None and not is_file_name(declared):
        raise ReleaseError(
            f"sums: {declared[:100]!r} names no file beside the assets",
            expected="the name of a file, such as SHA256SUMS or tool_{version}.sha256",
            fix="write the folder that it lies in behind directory: https://example.org/v{version}/",
        )
    return declared


def _sidecars(names: Names | None) -> dict[str, str]:
    """Return the sidecars among *names*, each with the file there that it speaks of. What they state is a claim."""
    files = set(names.files) if names else set()
    subjects = {name: sums.sidecar_subject(name) for name in files if sums.is_sums(name)}
    return {name: of for name, of in subjects.items() if of is not None and of in files and not sums.is_sums(of)}


def _stated(folder: Folder, sums_name: str) -> Mapping[str, Mapping[str, str]]:
    """Return what the sums file states, by file name: a bare digest is that of the file that a sidecar's name says."""
    content = folder.read(sums_name)
    if content is None:
        return {}
    text = sums.decode(content)
    return sums.parse_sums(text).digests or sums.parse_sums(text, sums.sidecar_subject(sums_name)).digests


def _digests(folder: Folder, sums_names: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return what all sums files of *folder* state, by file name. Raises ReleaseError where they disagree."""
    merged: dict[str, dict[str, str]] = {}
    for sums_name in sums_names:
        for name, digests in _stated(folder, sums_name).items():
            for algorithm, value in digests.items():
                if merged.setdefault(name, {}).setdefault(algorithm, value) != value:
                    raise ReleaseError(
                        f"the sums files of {folder.place} contradict each other about {name}",
                        expected=f"{algorithm} {merged[name][algorithm]}",
                        found=f"{algorithm} {value} in {sums_name}",
                    )
        refuse_too_many(len(merged), folder.place)
    return merged


def _beside(folder: Folder, name: str) -> Asset | None:
    """Return the file *name* of *folder*, which is about an asset or a sums file; None if there is no such file."""
    names = folder.names()
    is_there = name in names.files if names is not None else folder.read(name) is not None
    return folder.listed(name) if is_there else None


def _listed(folder: Folder, names: Iterable[str]) -> tuple[Asset, ...]:
    return tuple(folder.listed(name) for name in sorted(names) if is_file_name(name))


def _refuse_unsummed(folder: Folder, names: Names, known: set[str]) -> None:
    """Raise ReleaseError for files of *folder* that no sums file lists and that are not about other files."""
    unknown = [name for name in names.files if name not in known and not _SPEAKS_OF_ASSETS.search(name)]
    if unknown:
        raise ReleaseError(
            f"{folder.place} has files without a digest in its sums file",
            found=redaction.shown(listed(unknown)),
            fix="add them to the sums file if you trust them, or remove them",
        )
