# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks for a tool in the catalogue. Options and results are documented in modules/search.py."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import Any

from ansible_collections.pinned.release.plugins.module_utils import options
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils import verb
from ansible_collections.pinned.release.plugins.plugin_utils._catalogue import search
from ansible_collections.pinned.release.plugins.plugin_utils._catalogue.catalogue import Catalogue
from ansible_collections.pinned.release.plugins.plugin_utils._lock import user_files

OPTIONS = verb.reader(options.SEARCH)


class ActionModule(verb.Verb):
    """Runs on the controller, once, whatever the number of hosts."""

    BYPASS_HOST_LOOP = True
    _requires_connection = False

    def act(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        """Show the tools of the catalogue that may be meant, and return them. Nothing is written, nobody is asked.

        Raises ReleaseError for no word to look for, and for a catalogue that cannot be read.
        """
        given = verb.options(self, OPTIONS)
        word = given["tool"].strip()
        if not word:
            raise ReleaseError("search looks for nothing", expected="a word", fix="name a tool, such as  -e tool=node")
        files = tuple(verb.found_file(self, name, user_files.CATALOGUE) for name in given["catalogue"])
        found = search.candidates(Catalogue(files, partial(user_files.read, kind=user_files.CATALOGUE)), word)
        notes = search.lines(found, word)
        for line in notes:
            verb.tell(line)
        return {"changed": False, "candidates": [asdict(one) for one in found], "notes": notes}
