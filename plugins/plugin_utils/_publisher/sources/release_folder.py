# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files and folders lie in a folder of a publisher, on the controller or on a web server? On the controller."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote, unquote, urljoin, urlsplit, urlunsplit

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import documents, failures, redaction
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import sums
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.declared import (
    Declaration,
    is_file_name,
    web_address,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.near_files import beside
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset

if TYPE_CHECKING:
    import requests


@dataclass(frozen=True)
class Names:
    """The names of what is in a folder."""

    files: tuple[str, ...]
    folders: tuple[str, ...]


class Folder(Protocol):
    """A folder on the controller or on a web server. Each method raises ReleaseError if it gets no clear answer."""

    place: str
    """As a person would name it."""
    is_complete: bool
    """Whether its names are all there is, rather than what a page happens to link to."""

    def names(self) -> Names | None:
        """Return what is in it, None if the server does not show that."""

    def read(self, name: str) -> bytes | None:
        """Return the content of the file *name*, None if there is no such file."""

    def listed(self, name: str) -> Asset:
        """Return the file *name* as an asset."""

    def inside(self, path: str) -> Folder:
        """Return the folder *path* below this one."""


def open_folder(start: str, declaration: Declaration, session: requests.Session) -> Folder:
    """Return the folder at *start* of the declared place, an address on the web or a path.

    Raises ReleaseError for an address that is none, and for a relative path where no manifest says to what.
    """
    if "://" in declaration.name:
        return _WebFolder(web_address(start, "directory"), session)
    path = Path(start).expanduser()
    if not path.is_absolute():
        if declaration.base is None:
            raise ReleaseError(
                f"the folder {start!r} is relative, and no manifest says to what",
                expected="an absolute path, or https://…",
            )
        path = declaration.base / path
    return _LocalFolder(path)


class _LocalFolder:
    """A folder on the controller."""

    is_complete = True

    def __init__(self, path: Path) -> None:
        self._path = path
        self.place = str(path)

    def names(self) -> Names | None:
        """Return the files and folders inside, sorted. Raises ReleaseError if the folder cannot be read."""
        try:
            with os.scandir(self._path) as entries:
                found = sorted((entry.name, entry.is_dir()) for entry in entries)
        except OSError as error:
            raise ReleaseError(
                f"the folder {self._path} could not be read",
                found=f"{error.strerror}{beside(self._path) if isinstance(error, FileNotFoundError) else ''}",
                fix="correct directory in the source of the manifest; a relative path starts at the manifest's folder",
            ) from error
        return Names(
            tuple(name for name, is_folder in found if not is_folder),
            tuple(name for name, is_folder in found if is_folder),
        )

    def read(self, name: str) -> bytes | None:
        """Return the file *name*, None if there is none.

        Raises ReleaseError if it cannot be read. At most one byte more than a sums file may have is read, so
        that a larger one is noticed.
        """
        try:
            with (self._path / name).open("rb") as file:
                return file.read(sums.LIMIT_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ReleaseError(f"{self._path / name} could not be read", found=error.strerror) from error

    def listed(self, name: str) -> Asset:
        """Return the file *name* as an asset with a ``file:`` address and its size. It must exist."""
        path = self._path / name
        return Asset(name, path.as_uri(), path.stat().st_size)

    def inside(self, path: str) -> Folder:
        """Return the folder at *path* below this one, whether or not it exists."""
        return _LocalFolder(self._path / path)


class _WebFolder:
    """A folder on a web server, whose content is known if the server shows an index page."""

    is_complete = False

    def __init__(self, url: str, session: requests.Session) -> None:
        self._url = url.rstrip("/") + "/"
        self._session = session
        self.place = redaction.redacted(self._url)
        self._answers: dict[str, requests.Response | None] = {}

    def names(self) -> Names | None:
        """Return what its index page links to directly below it, None if there is no page.

        Raises ReleaseError if refused.
        """
        page = self._get(self._url)
        if page is None or "html" not in page.headers.get("Content-Type", ""):
            return None
        base = page.url.partition("?")[0]
        addresses = (urljoin(base, link.href) for link in documents.page_of(page).links)
        inside = [url[len(base) :] for url in addresses if url.startswith(base)]
        names = dict.fromkeys(unquote(name) for name in inside if re.fullmatch(r"[^/?#]+/?", name))
        return Names(
            tuple(name for name in names if is_file_name(name)),
            tuple(name[:-1] for name in names if name.endswith("/") and is_file_name(name[:-1])),
        )

    def read(self, name: str) -> bytes | None:
        """Return the file *name*; None if the server has none. Raises ReleaseError for any other refusal."""
        response = self._get(self._address(name))
        return response.content if response is not None else None

    def _get(self, url: str) -> requests.Response | None:
        """Return the answer, requested once; None if there is nothing, which storage services also report by 403."""
        if url not in self._answers:
            response = self._session.get(url)
            is_absent = response.status_code in (403, 404, 410)
            if not is_absent and not response.ok:
                raise failures.refused(response, self._session)
            self._answers[url] = None if is_absent else response
        return self._answers[url]

    def listed(self, name: str) -> Asset:
        """Return *name* as an asset with its address. A page of links is not trusted to tell its size."""
        return Asset(name, self._address(name))

    def inside(self, path: str) -> Folder:
        """Return the folder at *path* below this one; nothing is requested yet."""
        return _WebFolder(self._address(path), self._session)

    def _address(self, path: str) -> str:
        parts = urlsplit(self._url)
        return urlunsplit(parts._replace(path=parts.path + quote(path, safe="/+~")))
