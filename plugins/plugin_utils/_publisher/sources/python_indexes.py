# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Python package indexes does this machine use, by the configuration of pip or else of uv? On the controller.

Follows pip's documentation ("Configuration": files, environment variables, their order) and uv's (docs.astral.sh/uv,
"Configuration files", "Package indexes", "Environment variables"). Where pip has a setting, uv's do not count. A
project's own file is not read: it would depend on where Ansible was started. Folders as indexes are left out, because
hosts do not have them.
"""

from __future__ import annotations

import configparser
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._values import libraries

#: The sections of pip's files that count for what we do, the later before the former.
_SECTIONS = ("global", "install")


@dataclass(frozen=True)
class Index:
    """The address of an index, which may hold a user and a password, and where it is from: ``PIP_INDEX_URL``."""

    url: str = field(repr=False)
    origin: str


@dataclass(frozen=True)
class _Settings:
    """What one program is told: its main index, None where that is not said, and those to ask before and after it."""

    before: tuple[Index, ...] = ()
    main: Index | None = None
    after: tuple[Index, ...] = ()


def configured_indexes(environment: Mapping[str, str], default: str) -> tuple[Index, ...]:
    """Return the indexes of this machine, in the order in which they are asked; *default* where no main one is named.

    Raises ReleaseError for a configuration that cannot be read.
    """
    settings = _of_pip(environment)
    if settings == _Settings():
        settings = _of_uv(environment)
    return (*settings.before, settings.main or Index(default, ""), *settings.after)


def _of_pip(environment: Mapping[str, str]) -> _Settings:
    files = [(path, _read_pip(path)) for path in _pip_files(environment)]
    # A section for a command counts more than the general one, in whichever file.
    lines = [(key, value, path) for name in _SECTIONS for path, of in files for key, value in of.get(name, {}).items()]
    found = {key: (value, str(path)) for key, value, path in lines}
    for key in ("index-url", "extra-index-url"):
        variable = f"PIP_{key.upper().replace('-', '_')}"
        if environment.get(variable):
            found[key] = (environment[variable], variable)
    main, origin = found.get("index-url", ("", ""))
    extra, extra_origin = found.get("extra-index-url", ("", ""))
    return _Settings(
        main=Index(main.strip(), origin) if main.strip() else None,
        after=tuple(_on_the_web(Index(url, extra_origin) for url in extra.split())),
    )


def _pip_files(environment: Mapping[str, str]) -> list[Path]:
    """Return the files that pip reads, those that count most at the end."""
    own = environment.get("PIP_CONFIG_FILE")
    if own == os.devnull:
        return []
    home = Path(environment.get("HOME") or os.path.expanduser("~"))
    shared = [Path(folder) / "pip" for folder in _folders(environment.get("XDG_CONFIG_DIRS"), "/etc/xdg")]
    user = Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "pip"
    on_macos = [Path("/Library/Application Support/pip")] if sys.platform == "darwin" else []
    macos_user = [home / "Library/Application Support/pip"] if sys.platform == "darwin" else []
    folders = [*on_macos, *reversed(shared), Path("/etc"), home / ".pip", user, *macos_user, Path(sys.prefix)]
    return [*(folder / "pip.conf" for folder in folders), *([Path(own)] if own else [])]


def _read_pip(path: Path) -> dict[str, dict[str, str]]:
    """Return the settings in one of pip's files, by section. Raises ReleaseError if it cannot be read."""
    text = _read(path, "pip")
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(text)
    except configparser.Error as error:
        raise ReleaseError(f"pip's configuration {path} could not be understood", found=type(error).__name__) from None
    return {
        section: {key.lower().replace("_", "-"): value for key, value in parser.items(section)}
        for section in parser.sections()
    }


def _of_uv(environment: Mapping[str, str]) -> _Settings:
    files = [(path, _read_uv(path)) for path in _uv_files(environment)]
    named: list[Index] = [*_of_variable("UV_INDEX", environment), *_of_variable("UV_EXTRA_INDEX_URL", environment)]
    mains = [*_of_variable("UV_DEFAULT_INDEX", environment), *_of_variable("UV_INDEX_URL", environment)]
    for path, settings in files:
        for one in settings.get("index", ()):
            index = _with_login(str(one["url"]), str(one.get("name") or ""), str(path), environment)
            if not one.get("explicit") and one.get("format", "simple") == "simple":
                (mains if one.get("default") else named).append(index)
        named += [Index(str(url), str(path)) for url in settings.get("extra-index-url", ())]
        mains += [Index(str(settings["index-url"]), str(path))] if settings.get("index-url") else []
    return _Settings(before=tuple(_on_the_web(named)), main=next(iter(mains), None))


def _of_variable(name: str, environment: Mapping[str, str]) -> Iterator[Index]:
    """Yield the indexes in the variable *name*, each an address, or ``NAME=ADDRESS``."""
    for word in environment.get(name, "").split():
        label, equals, url = word.partition("=")
        is_named = bool(equals) and re.fullmatch(r"[A-Za-z0-9._-]+", label) is not None
        yield _with_login(url if is_named else word, label if is_named else "", name, environment)


def _with_login(url: str, name: str, origin: str, environment: Mapping[str, str]) -> Index:
    """Return the index at *url* with the user and password that the environment has for an index of this *name*."""
    variable = f"UV_INDEX_{re.sub('[^A-Z0-9]', '_', name.upper())}"
    user, password = (environment.get(f"{variable}_{what}", "") for what in ("USERNAME", "PASSWORD"))
    if not name or not (user or password):
        return Index(url, origin)
    try:
        parts = urlsplit(url)
    except ValueError:
        return Index(url, origin)
    login = f"{quote(user, safe='')}:{quote(password, safe='')}"
    address = f"{login}@{parts.netloc.rpartition('@')[2]}"
    return Index(urlunsplit(parts._replace(netloc=address)), f"{variable}_PASSWORD")


def _uv_files(environment: Mapping[str, str]) -> list[Path]:
    """Return the files that uv reads, those that count most first."""
    if environment.get("UV_NO_CONFIG", "").lower() in ("1", "true"):
        return []
    if environment.get("UV_CONFIG_FILE"):
        return [Path(environment["UV_CONFIG_FILE"])]
    home = Path(environment.get("HOME") or os.path.expanduser("~"))
    user = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    folders = [*map(Path, _folders(environment.get("XDG_CONFIG_DIRS"), "/etc/xdg")), Path("/etc")]
    shared = [folder / "uv/uv.toml" for folder in folders]
    return [user / "uv/uv.toml", *[path for path in shared if path.exists()][:1]]


def _read_uv(path: Path) -> Mapping[str, Any]:
    """Return what a file of uv's says. Raises ReleaseError if it is no such file, or no library reads TOML."""
    text = _read(path, "uv")
    if not text.strip():
        return {}
    try:
        settings: Mapping[str, Any] = libraries.tomli.loads(text)
        _refuse_other_types(settings)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ReleaseError(f"uv's configuration {path} could not be understood", found=type(error).__name__) from None
    return settings


def _refuse_other_types(settings: Mapping[str, Any]) -> None:
    """Raise TypeError or KeyError where indexes are not as uv documents them."""
    indexes, extra = settings.get("index", []), settings.get("extra-index-url", [])
    texts = [settings.get("index-url", ""), *extra, *(one["url"] for one in indexes)]
    if not (isinstance(indexes, list) and isinstance(extra, list) and all(isinstance(text, str) for text in texts)):
        raise TypeError("an index that is none")


def _on_the_web(indexes: Iterable[Index]) -> Iterator[Index]:
    """Yield the *indexes* that are no folders of this machine, in which hosts would not find anything."""
    return (index for index in indexes if "://" in index.url and not index.url.lower().startswith("file:"))


def _folders(listed: str | None, usual: str) -> list[str]:
    return [folder for folder in (listed or usual).split(os.pathsep) if folder]


def _read(path: Path, whose: str) -> str:
    """Return the text of a file of configuration, "" if it is not there. Raises ReleaseError if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        raise ReleaseError(f"{whose}'s configuration {path} could not be read", found=error.strerror) from error
