# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which kinds of places publish releases, and which one does a manifest mean? The table of kinds. On the controller.

A new kind of source is one file here and one line in the table.

Private to the collection: plugins and roles are its API, nothing in this file is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Protocol

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils.folders import default_cache_root
from ansible_collections.pinned.release.plugins.plugin_utils.release import Source
from ansible_collections.pinned.release.plugins.plugin_utils.sources.declared import Declaration, without_user
from ansible_collections.pinned.release.plugins.plugin_utils.sources.directory import DirectorySource
from ansible_collections.pinned.release.plugins.plugin_utils.sources.github import PUBLIC_API, GithubSource
from ansible_collections.pinned.release.plugins.plugin_utils.sources.npm import NpmSource
from ansible_collections.pinned.release.plugins.plugin_utils.sources.pypi import PypiSource
from ansible_collections.pinned.release.plugins.plugin_utils.transport import redacted


class Kind(Protocol):
    """A class of sources: its options in a manifest, and how one is made. Raises ReleaseError if it cannot be right."""

    OPTIONS: frozenset[str]

    def __call__(self, declaration: Declaration) -> Source:
        """Return the declared source."""


#: The word in a manifest → the kind it means.
KINDS: Mapping[str, Kind] = {
    "directory": DirectorySource,
    "github": GithubSource,
    "npm": NpmSource,
    "pypi": PypiSource,
}


def open_source(
    declaration: Mapping[str, object],
    *,
    token: str | None = None,
    base: Path | None = None,
    cache_root: Path | None = None,
    exact: str | None = None,
    is_wanted: Callable[[str], bool] = lambda version: True,
) -> Source:
    """Return the source that a manifest's ``source:`` mapping declares, such as ``{"pypi": "uv"}``.

    *token* is GitHub's, and goes nowhere else. *base* is the manifest's folder, from which relative paths start;
    listings are kept below *cache_root*, by default where the environment says. *exact* is the only version that the
    manifest admits, if it names one, and *is_wanted* tells which can matter: sources need not ask about others.
    Raises ReleaseError if the mapping is of no known kind.
    """
    words = {str(key): _text(str(key), value) for key, value in declaration.items()}
    possible = [kind for kind in KINDS if kind in words and words.keys() - {kind} <= KINDS[kind].OPTIONS]
    if len(possible) != 1:
        raise _unknown(words)
    [kind] = possible
    name = words.pop(kind)
    cache_root = cache_root or default_cache_root()
    return KINDS[kind](Declaration(kind, name, words, token, cache_root, base, exact, is_wanted))


def refuse_token_for_several(declarations: Iterable[Mapping[str, str]], token: str | None) -> None:
    """Raise ReleaseError if *token*, which is one server's, would be sent to several that *declarations* name."""
    servers = {one.get("api_url", PUBLIC_API).rstrip("/") for one in declarations if "github" in one}
    if token and len(servers) > 1:
        raise ReleaseError(
            "the option token would be sent to several servers, and can be only one's",
            found=", ".join(sorted(map(redacted, servers))),
            fix="leave the option out: GITHUB_TOKEN goes to GitHub alone, and GH_ENTERPRISE_TOKEN to the server that "
            "GH_HOST names",
        )


def _text(key: str, value: object) -> str:
    """Return the *value* of a source's *key* as plain text. Raises ReleaseError, also for text that holds a secret."""
    if not isinstance(value, str):
        raise ReleaseError(f"source.{key} cannot be right", expected="text", found=type(value).__name__)
    try:
        _address, user_and_password = without_user(value) if "://" in value else (value, None)
    except ValueError:
        user_and_password = None
    if user_and_password is not None:
        # The lock file repeats the manifest's source, and both are meant to be shared.
        raise ReleaseError(
            f"source.{key} holds a user name or password, which would be written to the lock file",
            fix="put them into netrc (for a Python index, PIP_INDEX_URL with them will do), and the bare address here",
        )
    return str(value)


def _unknown(words: Mapping[str, str]) -> ReleaseError:
    """Return the error for a mapping that no kind fits, or that more than one does."""
    named = [kind for kind in KINDS if kind in words]
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
