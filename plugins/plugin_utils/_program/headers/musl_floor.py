# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which musl does a program need? musl has no symbol versions, so the functions that are used tell. Pure; controller.

If musl lacks a function, the program stops at its start ("Error relocating …: symbol not found"). If its loader does
not know compressed relocations, which newer linkers write, the program crashes there. musl's release notes (its file
WHATSNEW) tell which release brought what, from 1.1.15 of 2016 on; the symbol tables of the libraries of 1.2.2, 1.2.3,
1.2.5 and 1.2.6 agree. Functions that distributions add do not count.
"""

from __future__ import annotations

import re

from ansible_collections.pinned.release.plugins.plugin_utils._program.headers.elf_structures import (
    DT_RELR,
    Elf,
    undefined_symbols,
)
from ansible_collections.pinned.release.plugins.plugin_utils._program.headers.program_bytes import ProgramBytes
from ansible_collections.pinned.release.plugins.plugin_utils._values.hardware import dotted_numbers

#: Release → the functions that it added.
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
#: The functions that 32-bit programs call since time_t has 64 bits: ``__stat_time64``, ``__gmtime64_r``.
TIME64, FIRST_WITH_TIME64 = re.compile(r"__\w*time64(_r)?"), "1.2.0"
FIRST_WITH_COMPRESSED_RELOCATIONS = "1.2.4"


def musl_floor(elf: Elf, source: ProgramBytes) -> str | None:
    """Return the oldest release of musl that has all that a program or library uses; None if every known one has.

    Raises ReleaseError if its symbol table contradicts the file.
    """
    releases = {_release_of(name) for name in undefined_symbols(source, elf)}
    if elf.dynamic and DT_RELR in elf.dynamic.entries:
        releases.add(FIRST_WITH_COMPRESSED_RELOCATIONS)
    return max(filter(None, releases), key=dotted_numbers, default=None)


def _release_of(name: str) -> str | None:
    return FIRST_WITH_TIME64 if TIME64.fullmatch(name) else RELEASE_OF.get(name)
