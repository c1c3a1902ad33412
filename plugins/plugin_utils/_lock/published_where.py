# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where is a tool published, and in which version, going by the addresses of its files? Pure; runs on the controller.

Other tools' lock files have addresses; a manifest has a source and a version. Addresses of releases have the same form
on every server of a kind: GitHub, Gitea and Forgejo (``/OWNER/REPO/releases/download/TAG/FILE``), GitLab
(``/GROUP/PROJECT/-/releases/TAG/downloads/FILE``), npm registries, Python indexes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import unquote, urlsplit

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._asset.common_pattern import common_pattern
from ansible_collections.pinned.release.plugins.plugin_utils._lock import file_labels
from ansible_collections.pinned.release.plugins.plugin_utils._lock.importers.imported import ForeignFile, ForeignTool
from ansible_collections.pinned.release.plugins.plugin_utils._naming.asset_pattern import pattern_of
from ansible_collections.pinned.release.plugins.plugin_utils._values.platforms import Platform
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import listed, shown

#: A source as a manifest has it; one of its options may be a table.
SourceWords: TypeAlias = dict[str, "str | dict[str, str]"]

_PUBLIC = {"github": "github.com", "gitlab": "gitlab.com", "gitea": "codeberg.org"}
_API_PATHS = {"github": "/api/v3", "gitlab": "/api/v4", "gitea": "/api/v1"}
_PROJECT = r"[A-Za-z0-9_.@-]+(?:/[A-Za-z0-9_.-]+)*"
_FORGE_PATH = re.compile(r"/([A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+)/releases/download/(.+)/[^/]+\Z")
_GITLAB_PATH = re.compile(rf"/({_PROJECT})/-/releases/([^/]+)/downloads/.+\Z")
_NPM_PATH = re.compile(r"/((?:@[^/]+/)?([^/@]+))/-/\2-([0-9][^/]*)\.tgz\Z")
_WHEEL = re.compile(r"([A-Za-z0-9][A-Za-z0-9._]*)-([0-9][^-]*)(?:-[0-9][^-]*)?-[^-]+-[^-]+-[^-]+\.whl\Z")
#: A version in an address: at least two numbers, and what may follow them.
_VERSION = re.compile(r"(?<![0-9A-Za-z.])v?([0-9]+(?:\.[0-9]+)+(?:[-+_]?(?:rc|beta|alpha|pre)[.-]?[0-9]*)?)(?![0-9])")


@dataclass(frozen=True)
class Published:
    """Where a tool is published, as a manifest has it, and in which version.

    asset   the pattern on names of assets that it needs, "" for none
    note    what was taken for granted, or is not as the other tool has it; "" for nothing
    others  files that the source does not have
    """

    source: Mapping[str, str | dict[str, str]]
    version: str | None
    asset: str = ""
    note: str = ""
    others: tuple[ForeignFile, ...] = ()


@dataclass(frozen=True)
class _Release:
    """The release of a forge that an address leads to: kind of source, server, project and tag."""

    kind: str
    server: str
    project: str
    tag: str


def published(tool: ForeignTool) -> Published:
    """Return where *tool* is published. Raises ReleaseError that says why that cannot be told."""
    if not tool.files:
        return Published(_stated(tool.source), tool.version)
    for guess in (_on_forge, _on_npm, _on_index, by_template):
        found = guess(tool)
        if found is not None:
            return found
    hosts = dict.fromkeys(urlsplit(file.url).hostname or "" for file in tool.files)
    raise ReleaseError(f"no source of this collection has files like those on {listed(map(_plain, hosts), 3)}")


def _plain(host: str) -> str:
    return shown(host)[1:-1]


def _stated(source: Mapping[str, str]) -> SourceWords:
    if not source:
        raise ReleaseError("no file of it is named, and no source")
    if not all(re.fullmatch(_PROJECT, project) for project in source.values()):
        raise ReleaseError(f"its source is no project: {', '.join(map(shown, source.values()))}")
    return dict(source)


def _on_forge(tool: ForeignTool) -> Published | None:
    """Return the release of a forge that all files are of; None if they are of none, or of several."""
    releases = {_release(file.url, tool.source) for file in tool.files}
    release = releases.pop() if len(releases) == 1 else None
    if release is None:
        return None
    version = _version_of_tag(release.tag, tool.version)
    before, _version, after = release.tag.partition(version)
    source: SourceWords = {release.kind: release.project}
    note = ""
    if urlsplit(release.server).hostname != _PUBLIC[release.kind]:
        source["api_url"] = release.server + _API_PATHS[release.kind]
        if release.kind == "github":
            host = _plain(urlsplit(release.server).netloc)
            note = f"{host} is taken for a GitHub Enterprise server; for Gitea or Forgejo, write gitea and its api_url"
    if (before, after) not in (("", ""), ("v", "")):
        source["tag"] = f"{before}{{version}}{after}"
    is_of_another = bool(tool.version) and not version.startswith((tool.version or "").removeprefix("v"))
    needs_pattern = is_of_another or bool(tool.over)
    asset = _pattern([file.name for file in tool.files], version) if needs_pattern else ""
    return Published(source, version, asset, note)


def _pattern(names: Sequence[str], version: str) -> str:
    """Return a glob for assets of these *names*: of a release that has builds of several versions of the tool."""
    return common_pattern([[pattern_of(name, version)] for name in names], lambda pattern: True) or ""


def _release(url: str, stated: Mapping[str, str]) -> _Release | None:
    parts = urlsplit(url)
    server = f"{parts.scheme}://{parts.netloc}"
    gitlab = _GITLAB_PATH.match(parts.path)
    if gitlab:
        return _Release("gitlab", server, gitlab[1], unquote(gitlab[2]))
    forge = _FORGE_PATH.match(parts.path)
    if not forge:
        return None
    is_gitea = "gitea" in stated or parts.hostname == _PUBLIC["gitea"]
    return _Release("gitea" if is_gitea else "github", server, forge[1], unquote(forge[2]))


def _version_of_tag(tag: str, stated: str | None) -> str:
    """Return the version in *tag*: the *stated* one if it is there to the end, else what begins with its number.

    Raises ReleaseError for a tag without a number: it names no version, and what is published there may change.
    """
    plain = stated.removeprefix("v") if stated else ""
    if plain[:1].isdigit() and tag.endswith(plain) and not tag.removesuffix(plain)[-1:].isdigit():
        return plain
    number = re.search(r"(?:(?<=v)|(?<![A-Za-z0-9]))[0-9].*\Z", tag) or re.search(r"[0-9].*\Z", tag)
    if not number:
        raise ReleaseError(f"its release is called {shown(tag)}, which is no version")
    return number.group()


def _on_npm(tool: ForeignTool) -> Published | None:
    """Return the package of an npm registry that a single file is."""
    found = _NPM_PATH.search(urlsplit(tool.files[0].url).path.replace("%2f", "/").replace("%2F", "/"))
    return Published({"npm": found[1]}, found[3]) if found and len(tool.files) == 1 else None


def _on_index(tool: ForeignTool) -> Published | None:
    """Return the project of a Python index that all files are wheels of."""
    wheels = [_WHEEL.match(file.name) for file in tool.files]
    found = {(wheel[1].replace("_", "-"), wheel[2]) for wheel in wheels if wheel}
    if not all(wheels) or len(found) != 1:
        return None
    [(project, version)] = found
    return Published({"pypi": project}, version)


def by_template(tool: ForeignTool) -> Published | None:
    """Return the source ``http`` whose template most addresses follow; None if they tell no platforms.

    Raises ReleaseError if no version is in the addresses.
    """
    version = _common_version(tool)
    spelled: dict[str, list[tuple[ForeignFile, dict[str, str]]]] = {}
    for file in tool.files:
        platforms = file_labels.platforms_of(file, tool.name, version)
        if len(platforms) == 1:
            template = file.url.replace("{", "%7B").replace("}", "%7D").replace(version, "{version}")
            template, words = _with_placeholders(template, platforms[0])
            spelled.setdefault(template, []).append((file, words))
    if not spelled:
        return None
    template = max(spelled, key=lambda one: len(spelled[one]))
    others = tuple(file for file in tool.files if file not in [one for one, _words in spelled[template]])
    names = listed(_plain(file.name) for file in others)
    note = f"other addresses, not in the template: {names}" if others else ""
    return Published({"http": template, **_tables(spelled[template])}, version, note=note, others=others)


def _common_version(tool: ForeignTool) -> str:
    """Return the version that every address has in it: the one that is stated, else the only one that is there."""
    urls = [urlsplit(file.url).path for file in tool.files]
    stated = (tool.version or "").removeprefix("v")
    if stated and all(stated in url for url in urls):
        return stated
    found = _in_all(set(_VERSION.findall(url)) for url in urls)
    if len(found) != 1:
        raise ReleaseError("its addresses do not tell its version")
    return found.pop()


def _in_all(sets: Iterable[set[str]]) -> set[str]:
    several: Sequence[set[str]] = list(sets)
    return set.intersection(*several) if several else set()


def _with_placeholders(url: str, platform: Platform) -> tuple[str, dict[str, str]]:
    """Return *url* with ``{os}`` and ``{arch}`` in it, and how it spelled these: ``{"os/macos": "darwin"}``."""
    words: dict[str, str] = {}
    for key, meant in (("os", platform.os), ("arch", str(platform).partition("/")[2])):
        for word in file_labels.SPELLINGS[key].get(meant, (meant,)):
            whole_word = rf"(?<![A-Za-z0-9{{]){re.escape(word)}(?![A-Za-z0-9}}])"
            if re.search(whole_word, url):
                url = re.sub(whole_word, f"{{{key}}}", url)
                words[f"{key}/{meant}"] = word
                break
    return url, words


def _tables(spelled: Iterable[tuple[ForeignFile, Mapping[str, str]]]) -> SourceWords:
    """Return the options that say how a publisher spells what is called otherwise here."""
    tables: dict[str, dict[str, str]] = {"os": {}, "arch": {}}
    for _file, words in spelled:
        for place, word in words.items():
            key, _slash, meant = place.partition("/")
            if word != meant:
                tables[key][meant] = word
    return {key: dict(sorted(table.items())) for key, table in tables.items() if table}
