# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Under what names are an asset's programs linked? Pure; on the controller.

A program's name is that of its file. Only what publishers put behind it is cut off: the release's version, and the
platform, off all programs alike. Where two programs would get one name, all names stay as they are.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ansible_collections.pinned.release.plugins.module_utils.names import NAME
from ansible_collections.pinned.release.plugins.plugin_utils._asset.contents import Found
from ansible_collections.pinned.release.plugins.plugin_utils._asset.meant_programs import plain_name
from ansible_collections.pinned.release.plugins.plugin_utils._naming.words.name_words import (
    BREAK,
    NEUTRAL,
    VERSION_WORD,
    other_versions,
    part,
    words_of,
)
from ansible_collections.pinned.release.plugins.plugin_utils._naming.words.platform_words import (
    ONLY_BESIDE_ANOTHER,
    WORDS,
    as_label,
    facts_of,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.label import OTHER_ARCH, Label

_SEPARATOR = re.compile(r"[-_.]+")
#: Words that say a platform right behind the tool's name, where no other word of a platform is beside them.
_BEHIND_THE_TOOL = (frozenset(WORDS) - ONLY_BESIDE_ANOTHER) | {"universal", "universal2"}


@dataclass(frozen=True)
class _Ending:
    """What stands behind a program's name in the name of its file.

    name              the file's name without it
    words             the words that say a platform; empty where there is only a version
    is_of_the_tool    the name without it is the tool's
    """

    name: str
    words: tuple[str, ...]
    is_of_the_tool: bool

    @property
    def label(self) -> Label:
        """What the words say of a platform, read by the same table as the name of an asset."""
        return as_label(facts_of(self.words))


def link_names(chosen: Sequence[Found], tool: str, version: str) -> list[str]:
    """Return the name of each program's link: what users type. *version* is the release's.

    ``tool-v1.2-linux-amd64`` is ``tool``, ``tool-server-linux-amd64`` is ``tool-server``, and beside each other
    ``client_linux_amd64`` and ``server_linux_amd64`` are ``client`` and ``server``. Two names may be one only where the
    programs are the same bytes.
    """
    plain = [plain_name(found.place) for found in chosen]
    endings = [None if found.link else _ending(plain_name(found.path), tool, version) for found in chosen]
    counts = Counter(ending.words for ending in endings if ending)
    is_about_hosts = all(_is_for(found, ending) for found, ending in zip(chosen, endings, strict=True) if ending)
    names = [
        ending.name if ending and _is_cut(ending, len(chosen), counts, is_about_hosts) else name
        for name, ending in zip(plain, endings, strict=True)
    ]
    if len(chosen) == 1 and not chosen[0].link and (_says_nothing(names[0]) or not NAME.match(names[0])):
        return [tool]
    programs: dict[str, set[str]] = {}
    for name, found in zip(names, chosen, strict=True):
        programs.setdefault(name, set()).add(found.sha256)
    return names if all(len(digests) == 1 for digests in programs.values()) else plain


def _is_cut(ending: _Ending, programs: int, counts: Counter[tuple[str, ...]], is_about_hosts: bool) -> bool:
    """Tell whether an ending is none of the program's own name.

    A version is not; system and architecture together are not. One of the two alone is not where it follows the tool's
    name, or where several programs have it, or where there is but one: ``qemu-system-x86_64`` beside ``qemu-img`` is a
    name, and so is ``qemu-arm`` in a build for x86_64.
    """
    if not ending.words:
        return True
    is_whole = bool(ending.label.os and (ending.label.arch or ending.label.archs))
    is_shared = programs == 1 or counts[ending.words] > 1
    return is_whole or (is_about_hosts and (ending.is_of_the_tool or is_shared))


def _is_for(found: Found, ending: _Ending) -> bool:
    """Tell whether the program is for the architecture that the ending says, if it says one."""
    said = ending.label.archs or (ending.label.arch,)
    return found.is_script or any(arch in (None, OTHER_ARCH, one.arch) for arch in said for one in found.requires)


def _ending(name: str, tool: str, version: str) -> _Ending | None:
    """Return the longest ending of *name* that says only a platform and a version; None if there is none."""
    least = len(tool) if name.lower().startswith(tool.lower()) else 1
    for separator in _SEPARATOR.finditer(name):
        head, tail = name[: separator.start()], name[separator.end() :]
        is_inside_a_number = separator[0] == "." and head[-1:].isdigit() and tail[:1].isdigit()
        if len(head) < least or not tail or is_inside_a_number:
            continue
        is_of_the_tool = head.lower() == tool.lower()
        for number in (version, version.partition("+")[0]):
            words = _platform_words(tail, number, is_of_the_tool)
            if words is not None:
                return _Ending(tool if is_of_the_tool else head, words, is_of_the_tool)
    return None


def _platform_words(text: str, version: str, is_behind_the_tool: bool) -> tuple[str, ...] | None:
    """Return the words of a platform in *text*; None if it says anything else but the release's *version*.

    Right behind the tool's name, any version beside a platform is the tool's, and so are words about the packing.
    """
    said, rest = part(words_of(text, version))
    if is_behind_the_tool and not said:
        said, rest = [w for w in rest if w in _BEHIND_THE_TOOL], [w for w in rest if w not in _BEHIND_THE_TOOL]
    numbers = [word for word in rest if word != BREAK and not (is_behind_the_tool and said and word in NEUTRAL)]
    has_other = bool(numbers or other_versions(text, version))
    if not all(map(VERSION_WORD.fullmatch, numbers)) or (has_other and not (is_behind_the_tool and said)):
        return None
    return tuple(said)


def _says_nothing(name: str) -> bool:
    """Tell whether a name says no more than a platform or a version: ``linux-amd64``, ``1.2.3``."""
    return all(word in WORDS or word == BREAK or VERSION_WORD.fullmatch(word) for word in words_of(name))
