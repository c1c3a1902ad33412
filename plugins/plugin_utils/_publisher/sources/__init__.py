# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which kinds of sources are there, and which one does a manifest mean? The table of kinds; runs on the controller.

A new kind of source is one file here and one line in the table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.redaction import redacted, shown
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.declared import (
    Declaration,
    without_user,
)
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.directory import DirectorySource
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.expression import compiled
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.forge import ForgeSource
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.gitea import GiteaSource
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.github import GithubSource
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.gitlab import GitlabSource
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.http import HttpSource
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.index import IndexSource
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.npm import NpmSource
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.oci import OciSource
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.pypi import PYPI, PypiSource
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.versions import read_tag_of
from ansible_collections.pinned.release.plugins.plugin_utils._values.declared_source import (
    DeclaredSource,
    SourceValue,
    sources_in,
    text_of,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.nearest import nearest
from ansible_collections.pinned.release.plugins.plugin_utils._values.platforms import PLATFORMS, Platform
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Source


class Kind(Protocol):
    """A class of sources: its options in a manifest, and how one is made."""

    OPTIONS: frozenset[str]

    def __call__(self, declaration: Declaration) -> Source:
        """Return the declared source. Raises ReleaseError if the declaration is not valid."""


#: Those that are forges, whose releases have tags.
FORGES: Mapping[str, type[ForgeSource]] = {"gitea": GiteaSource, "github": GithubSource, "gitlab": GitlabSource}
#: The word in a manifest → the kind it means.
KINDS: Mapping[str, Kind] = {
    **FORGES,
    "directory": DirectorySource,
    "http": HttpSource,
    "index": IndexSource,
    "npm": NpmSource,
    "oci": OciSource,
    "pypi": PypiSource,
}
#: What people call a kind elsewhere.
NICKNAMES: Mapping[str, str] = {
    "codeberg": "gitea",
    "forgejo": "gitea",
    "gh": "github",
    "gl": "gitlab",
    "https": "http",
    "pip": "pypi",
}
#: The kinds whose names have a form of their own → it, and an example.
NAMES: Mapping[str, tuple[str, str]] = {
    **{kind: (source.FORGE.name, source.FORGE.example) for kind, source in FORGES.items()},
    "pypi": PYPI,
}
#: The options that a kind cannot do without.
NEEDED: Mapping[str, tuple[str, ...]] = {"index": ("releases",)}
#: An option that has a form of its own → what raises ReleaseError for any other text, when the manifest is read.
CHECKS: Mapping[str, Callable[[str], object]] = {"releases": compiled, "versions": compiled}
#: The options that hold a publisher's words → which words of a manifest they may replace.
WORDS: Mapping[str, tuple[str, ...]] = {
    "arch": tuple(dict.fromkeys(platform.cpu or platform.arch for platform in PLATFORMS.values())),
    "os": tuple(dict.fromkeys(platform.os for platform in PLATFORMS.values())),
}
#: The option that holds another source, and the kinds beside which it may also be a text: an expression.
VERSIONS = "versions"
VERSIONS_BY_EXPRESSION = frozenset({"index"})
#: The kinds that know of no versions.
WITHOUT_VERSIONS = frozenset({"http"})
#: What to do about an address with a user or a password in it.
WITHOUT_USER = "put them into netrc (for a Python index, PIP_INDEX_URL may have them), and the bare address here"
LISTS_VERSIONS = "a source that lists versions itself, such as {github: kubernetes/kubernetes}"


def meant_kind(word: str) -> str | None:
    """Return the kind of source that a person means by a *word* that is none; None where that cannot be told."""
    return NICKNAMES.get(word.lower()) or nearest(word, KINDS)


def open_source(
    declaration: Mapping[str, object],
    *,
    token: str | None = None,
    base: Path | None = None,
    cache_root: Path | None = None,
    exact: str | None = None,
    asset: str | None = None,
    is_wanted: Callable[[str], bool] = lambda version: True,
    platforms: tuple[Platform, ...] = (),
) -> Source:
    """Return the source that a manifest's ``source:`` mapping declares, such as ``{"pypi": "uv"}``.

    *token* is for a forge (GitHub, GitLab, Gitea), and is sent nowhere else. *base* is the manifest's folder, from
    which relative paths start; listings are kept below *cache_root*, or nowhere. *exact* is the only version that the
    manifest admits, if it names one, *asset* its pattern on names of assets, and *is_wanted* tells which versions can
    matter: sources need not ask about others. *platforms* are those that it asks for.
    Raises ReleaseError if the mapping is of no known kind or not valid.
    """
    given = Declaration("", "", {}, token, cache_root, base, exact, asset, is_wanted, platforms)
    return _opened({str(key): _value(str(key), value) for key, value in declaration.items()}, given)


def _opened(source: DeclaredSource, given: Declaration) -> Source:
    """Return the *source*, which may use what is *given*. Raises ReleaseError if it is of no known kind."""
    kind = kind_of(source)
    listing = source.get(VERSIONS)
    if isinstance(listing, Mapping) and not lists_versions(listing):
        raise ReleaseError(f"source.{VERSIONS} is not valid", expected=LISTS_VERSIONS, found=", ".join(sorted(listing)))
    declaration = replace(
        given,
        kind=kind,
        name=text_of(source, kind),
        options={key: value for key, value in source.items() if isinstance(value, str) and key != kind},
        words={key: value for key, value in source.items() if key in WORDS and isinstance(value, Mapping)},
        versions=_opened(listing, replace(given, is_list=True)) if isinstance(listing, Mapping) else None,
    )
    return KINDS[kind](declaration)


def kind_of(words: DeclaredSource) -> str:
    """Return the kind that the keys of a ``source:`` mapping name.

    Raises ReleaseError if they name none or several, or lack what the kind needs, or if it takes no such ``versions``.
    """
    possible = [kind for kind in KINDS if kind in words and words.keys() - {kind} <= KINDS[kind].OPTIONS]
    if len(possible) != 1:
        raise _unknown(words)
    [kind] = possible
    missing = [option for option in NEEDED.get(kind, ()) if option not in words]
    if missing:
        raise ReleaseError(
            f"source {kind} needs {', '.join(missing)}",
            expected=f"{kind}, and beside it {' and '.join(NEEDED[kind])}",
            found=", ".join(sorted(words)),
        )
    if isinstance(words.get(VERSIONS), str) and kind not in VERSIONS_BY_EXPRESSION:
        raise ReleaseError(
            f"source {kind} has no list from which an expression could take versions",
            expected=f"versions: {LISTS_VERSIONS}",
            found=shown(text_of(words, VERSIONS)),
        )
    return kind


def has_user(text: str) -> bool:
    """Tell whether the *text* of a source may be an address that has a user or a password in it."""
    if "://" not in text:
        return False
    try:
        # What is no port may be the beginning of a password, whose "/", "?" or "#" somebody forgot to encode.
        _port = urlsplit(text).port
        return without_user(text)[1] is not None
    except ValueError:
        return "@" in text


def lists_versions(source: DeclaredSource) -> bool:
    """Tell whether a *source* can be the one that lists the versions of another. Raises ReleaseError if it is none."""
    return kind_of(source) not in WITHOUT_VERSIONS and all(isinstance(value, str) for value in source.values())


def version_of(source: DeclaredSource, tag: str) -> str | None:
    """Return the version that *tag* means at the forge that is the *source*, or lists its versions; None: of none.

    Nothing is asked. Raises ReleaseError if the source is not valid.
    """
    for one in sources_in(source):
        kind = kind_of(one)
        if kind in FORGES:
            tagged = read_tag_of(text_of(one, kind), tag, text_of(one, "tag"))
            return tagged.version if tagged else None
    return None


def refuse_token_for_several(declarations: Iterable[DeclaredSource], token: str | None) -> None:
    """Raise ReleaseError if the *declarations* would send *token*, which belongs to one server, to several."""
    servers = {api for api, _public_api in _apis(declarations)}
    if _is_token(token) and len(servers) > 1:
        raise ReleaseError(
            "the option token would be sent to several servers, but it belongs to one",
            found=", ".join(sorted(map(redacted, servers))),
            fix="leave the option out and give each token in the environment: the variables for GitHub (GITHUB_TOKEN, "
            "GH_ENTERPRISE_TOKEN), GitLab (GITLAB_TOKEN) and Gitea (GITEA_TOKEN) are each for one server",
        )


def refuse_token_elsewhere(declarations: Sequence[DeclaredSource], token: str | None, host: str | None) -> None:
    """Raise ReleaseError if *declarations*, which a lock file makes, would send *token* where the user does not say.

    It goes to *host*, with its port if it has one, or to the public server of each kind of forge.
    """
    refuse_token_for_several(declarations, token)
    named = (host or "").strip().lower()
    for api, public_api in sorted(_apis(declarations)):
        server = urlsplit(api).netloc.lower()
        if _is_token(token) and server not in (urlsplit(public_api).netloc, named):
            raise ReleaseError(
                "the lock file would have the option token sent to a server that the task does not name",
                expected=f"option token_host, or {urlsplit(public_api).netloc}",
                found=redacted(api),
                fix=f"if the token is for that server, set token_host: {server}; if not, see who changed the lock file",
            )


def _is_token(token: str | None) -> bool:
    """Tell whether there is a token to send; where a file or a variable was empty there is none (forge_tokens.py)."""
    return bool(token and token.strip())


def _apis(declarations: Iterable[DeclaredSource]) -> set[tuple[str, str]]:
    """Return the APIs that the forges among *declarations* ask, each with the public one of its kind."""
    return {
        (source.api({key: text_of(one, key) for key in one}), source.FORGE.public_api)
        for declaration in declarations
        for one in sources_in(declaration)
        for kind, source in FORGES.items()
        if kind in one
    }


def _value(key: str, value: object) -> SourceValue:
    """Return the *value* of a source's *key*: a text, or a mapping of texts where the key takes one.

    Raises ReleaseError, also for a text that holds a secret.
    """
    if not isinstance(value, Mapping) or key not in (VERSIONS, *WORDS):
        return _text(key, value)
    return {str(inner): _text(f"{key}.{inner}", text) for inner, text in value.items()}


def _text(key: str, value: object) -> str:
    """Return the *value* of a source's *key* as plain text. Raises ReleaseError, also for text that holds a secret."""
    if not isinstance(value, str) or key in WORDS:
        expected = "a mapping such as {x86_64: amd64}" if key in WORDS else "text"
        raise ReleaseError(f"source.{key} is not valid", expected=expected, found=type(value).__name__)
    if has_user(value):
        # The lock file repeats the manifest's source, and both are meant to be shared.
        raise ReleaseError(
            f"source.{key} holds a user name or password, which would be written to the lock file", fix=WITHOUT_USER
        )
    return str(value)


def _unknown(words: DeclaredSource) -> ReleaseError:
    """Return the error for a mapping that fits no kind, or more than one."""
    named = [kind for kind in KINDS if kind in words]
    # Beside pypi, index is its option.
    options_of_named = {option for kind in named for option in KINDS[kind].OPTIONS}
    named = [kind for kind in named if kind not in options_of_named]
    if len(named) == 1:
        options = sorted(KINDS[named[0]].OPTIONS)
        return ReleaseError(
            f"source {named[0]} does not know {', '.join(sorted(words.keys() - {named[0]} - set(options)))}",
            expected=f"{named[0]}" + (f", and beside it {' or '.join(options)}" if options else " alone"),
            found=", ".join(sorted(words)),
        )
    return ReleaseError(
        "a source must be of one known kind",
        expected=f"one of {', '.join(sorted(KINDS))}, such as  source: {{github: astral-sh/uv}}",
        found=", ".join(sorted(words)) or "nothing",
    )
