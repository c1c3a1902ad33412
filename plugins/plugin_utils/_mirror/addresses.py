# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""At which path of a mirror is an address served? Pure; runs on the controller.

``https://HOST:PORT/PATH`` becomes ``HOST:PORT/PATH``, so that one rewrite of the prefix, ``https://`` to
``https://mirror.example.org/``, leads there. A static server takes the escapes out of the path (RFC 3986, section 2.1)
and does not look at the query, so neither is in the path.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote, unquote_to_bytes, urlsplit, urlunsplit

from ansible_collections.pinned.release.plugins.module_utils.names import STEP

#: What lies at the top of a mirror beside the hosts: no host is called so.
RELEASES, LOCKS, INDEX, STATE = "releases", "locks", "PULP_MANIFEST", ".pinned.release"
#: What every file system takes.
MOST_BYTES_OF_STEP, MOST_BYTES_OF_PATH = 255, 1024
#: Names by which servers find their settings in the folders that they serve, beside those with a dot in front.
OBEYED = frozenset({"web.config"})
_STEP = re.compile(rf"{STEP}\Z")
#: The paths of releases on GitHub, Gitea and Forgejo, and on GitLab: consumers know these. A tag may have slashes, as
#: ``kustomize/v5.6.0`` has.
_OF_RELEASE = re.compile(r"[^/]+/.+/(?:releases/download/.+|-/releases/[^/]+/downloads)/[^/]+\Z")


def place_of(url: str) -> str | None:
    """Return the path at which *url* is served; None if no static server can serve it, or it is no web address."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or parts.path.endswith("/"):
        return None
    if parts.netloc in (RELEASES, LOCKS, INDEX) or parts.netloc.startswith("."):
        return None
    try:
        path = unquote_to_bytes(parts.path).decode()
    except UnicodeDecodeError:
        return None
    # Servers take several slashes for one.
    place = "/".join([parts.netloc, *filter(None, path.split("/"))])
    return place if is_servable(place) and "/" in place else None


def is_servable(place: str) -> bool:
    """Tell whether *place* is plain, and a file there is one that servers send, rather than one that they obey.

    A publisher could otherwise configure the server: Apache reads ``.htaccess``, IIS ``web.config``, PHP ``.user.ini``.
    """
    name = place.rpartition("/")[2].lower()
    return is_plain(place) and not name.startswith(".") and name not in OBEYED


def is_plain(place: str) -> bool:
    """Tell whether *place* is a relative path that every file system takes, and that leads nowhere else."""
    steps = place.split("/")
    is_short = len(place.encode(errors="replace")) <= MOST_BYTES_OF_PATH
    return is_short and all(map(_is_plain_step, steps))


def _is_plain_step(step: str) -> bool:
    return bool(_STEP.match(step)) and len(step.encode()) <= MOST_BYTES_OF_STEP


def is_of_release(place: str) -> bool:
    """Tell whether *place* has the form of a file of a release on a forge: ``…/releases/download/TAG/NAME``."""
    return bool(_OF_RELEASE.match(place))


def released_at(tool: str, version: str, name: str) -> str:
    """Return the path of the file *name* of a release that has no such form upstream."""
    return f"{RELEASES}/{tool}/{version}/{name}"


def name_in(url: str) -> str:
    """Return the name of the file that *url* leads to, as its last step says it."""
    return unquote(urlsplit(url).path).rpartition("/")[2]


def beside(url: str, name: str) -> str:
    """Return the address of the file *name* in the folder of *url*, without a query."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rpartition("/")[0] + "/" + quote(name), "", ""))


def are_in_one_folder(url: str, other: str) -> bool:
    """Tell whether the files that two addresses lead to lie in one folder."""
    one, two = (urlsplit(address) for address in (url, other))
    folders = {(part.scheme, part.netloc, part.path.rpartition("/")[0]) for part in (one, two)}
    return len(folders) == 1 and not one.query and bool(one.netloc)
