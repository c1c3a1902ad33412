# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files lie beside an asset, where the web server shows no list of them? Asked for each; on the controller."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit, urlunsplit

from ansible_collections.pinned.release.plugins.plugin_utils._publisher import failures
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.declared import is_file_name
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset

if TYPE_CHECKING:
    import requests

#: The ends of the names of sidecars, the usual first.
SIDECARS = (".sha256", ".sha256sum", ".sha256.txt", ".sha512", ".sha512sum")
#: Storage services report 403 for what is not there.
_ABSENT = (403, 404, 410)


def found_at(url: str, session: requests.Session) -> requests.Response | None:
    """Return the answer to *url*, a small file; None if there is nothing. Raises ReleaseError if the server refuses."""
    response = session.get(url)
    return None if _is_absent(response, session) else response


def absence(url: str, session: requests.Session) -> str | None:
    """Return in words why there is no file at *url*, None if there is one. Its bytes are not read.

    Raises ReleaseError if the server refuses to tell.
    """
    # Some servers do not answer HEAD as they answer GET.
    with contextlib.closing(session.get(url, headers={"Accept": "*/*"}, stream=True)) as response:
        return f"HTTP status {response.status_code}" if _is_absent(response, session) else None


def beside(files: Sequence[Asset], session: requests.Session, name: str) -> Asset | None:
    """Return the file *name*, which is called as one of *files* and more, and lies beside it; None if there is none.

    Raises ReleaseError if the server refuses to tell.
    """
    subjects = [file for file in files if name.startswith(file.name)]
    if not subjects:
        return None
    subject = max(subjects, key=lambda file: len(file.name))
    file = neighbour(subject, name[len(subject.name) :])
    return file if file is not None and found_at(file.url, session) is not None else None


def neighbour(file: Asset, ending: str) -> Asset | None:
    """Return the file beside *file* whose name has this *ending* more; None where its address cannot be told."""
    parts = urlsplit(file.url)
    if parts.query or not is_file_name(file.name + ending):
        return None
    return Asset(file.name + ending, urlunsplit(parts._replace(path=parts.path + quote(ending, safe="+~"))))


def _is_absent(response: requests.Response, session: requests.Session) -> bool:
    if response.status_code in _ABSENT:
        return True
    if not response.ok:
        raise failures.refused(response, session)
    return False
