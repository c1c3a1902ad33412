# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which repository of which registry does a name mean, as ``ghcr.io/owner/tool`` does? Pure; runs on the controller.

Follows the grammar of the OCI distribution-spec 1.1 ("Pulling manifests") for repositories.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.declared import web_address

LONGEST_NAME = 255
_STEP = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
REPOSITORY = rf"{_STEP}(?:/{_STEP})*"
#: One step of the path of a repository.
STEP = re.compile(_STEP)
#: A host, with a port or not.
HOST = r"[A-Za-z0-9.-]+(?::[0-9]{1,5})?"
NAME = rf"(?=.{{1,{2 * LONGEST_NAME}}}\Z)(?:https?://)?{HOST}/{REPOSITORY}"
TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
#: Docker Hub's registry has another name than Docker Hub.
_DOCKER_HUB = ("docker.io", "index.docker.io", "registry-1.docker.io")


@dataclass(frozen=True)
class RegistryPlace:
    """A repository of the registry at this address. *names* are those under which Docker knows the registry."""

    registry: str
    names: tuple[str, ...]
    repository: str

    @property
    def address(self) -> str:
        """What the addresses of everything in the repository begin with."""
        return f"{self.registry}/v2/{self.repository}"


def place_of(name: str) -> RegistryPlace:
    """Return the place that *name*, which has the form NAME, means. Raises ReleaseError if its host can be none."""
    scheme, _separator, rest = name.rpartition("://")
    host, _slash, repository = rest.partition("/")
    names = _DOCKER_HUB if host.lower() in _DOCKER_HUB else (host.lower(),)
    return RegistryPlace(web_address(f"{scheme or 'https'}://{names[-1]}", "the registry"), names, repository)
