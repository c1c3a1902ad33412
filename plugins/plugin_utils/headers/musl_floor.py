# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which musl does a program need? It has no symbol versions, so what tells is what the program takes from it. Pure.

A function that musl lacks stops the program at its start ("Error relocating …: symbol not found"); what its loader
does not know of, the compressed relocations of newer linkers, makes the program crash there. Which release brought
what is told by musl's release notes (its file WHATSNEW), from 1.1.15 of 2016 on; the symbol tables of the
libraries of 1.2.2, 1.2.3, 1.2.5 and 1.2.6 say the same. What distributions add to a release of theirs does not count.

Private to the collection: plugins and roles are its API, nothing in this file is.
"""

from __future__ import annotations

import re

from ansible_collections.pinned.release.plugins.plugin_utils.headers.elf_structures import (
    DT_RELR,
    Elf,
    undefined_symbols,
)
from ansible_collections.pinned.release.plugins.plugin_utils.headers.program_bytes import ProgramBytes
from ansible_collections.pinned.release.plugins.plugin_utils.host import version_key

#: Release → the functions that it was the first to have.
NEW_FUNCTIONS = {
    "1.1.15": "pthread_timedjoin_np pthread_tryjoin_np sched_getcpu",
    "1.1.16": "pthread_getattr_default_np pthread_setattr_default_np pthread_setname_np",
    "1.1.20": "explicit_bzero getentropy getrandom memfd_create mlock2",
    "1.1.21": "name_to_handle_at open_by_handle_at",
    "1.1.22": "membarrier",
    "1.1.24": "copy_file_range secure_getenv posix_spawn_file_actions_addchdir_np "
    "posix_spawn_file_actions_addfchdir_np",
    "1.2.2": "_Fork gettid reallocarray tcgetwinsize tcsetwinsize",
    "1.2.3": "pthread_getname_np qsort_r",
    "1.2.5": "preadv2 pwritev2 statx",
    "1.2.6": "__getauxval posix_getdents renameat2",
}
RELEASE_OF = {function: release for release, functions in NEW_FUNCTIONS.items() for function in functions.split()}
#: What 32-bit programs call since their time has 64 bits: ``__stat_time64``, ``__gmtime64_r``.
TIME64, FIRST_WITH_TIME64 = re.compile(r"__\w*time64(_r)?"), "1.2.0"
FIRST_WITH_COMPRESSED_RELOCATIONS = "1.2.4"


def musl_floor(elf: Elf, source: ProgramBytes) -> str | None:
    """Return the oldest release of musl that has what a program or library takes from it; None if all that count do."""
    releases = {_release_of(name) for name in undefined_symbols(source, elf)}
    if elf.dynamic and DT_RELR in elf.dynamic.entries:
        releases.add(FIRST_WITH_COMPRESSED_RELOCATIONS)
    return max(filter(None, releases), key=version_key, default=None)


def _release_of(name: str) -> str | None:
    return FIRST_WITH_TIME64 if TIME64.fullmatch(name) else RELEASE_OF.get(name)
