# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which capabilities of a file does a text order, and which bytes say so? Pure; runs on hosts and on the controller.

The text is that of cap_from_text(3), without ``all``: it stands for other capabilities on every kernel. The bytes are
those of the extended attribute ``security.capability``: struct vfs_cap_data of linux/capability.h, VFS_CAP_REVISION_2
(VFS_CAP_REVISION_3 has the root of a user namespace behind it). A file has one effective bit for all: capabilities(7).
"""

import difflib
import re
import struct
import typing as t

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError

ATTRIBUTE = "security.capability"
#: By their numbers, from 0 on: linux/capability.h.
NAMES = tuple(
    "cap_" + name
    for name in (
        "chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable net_bind_service "
        "net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio sys_chroot sys_ptrace sys_pacct "
        "sys_admin sys_boot sys_nice sys_resource sys_time sys_tty_config mknod lease audit_write audit_control "
        "setfcap mac_override mac_admin syslog wake_alarm block_suspend audit_read perfmon bpf checkpoint_restore"
    ).split()
)
#: Number of cap_setfcap, which who sets capabilities of files must have.
SETFCAP = NAMES.index("cap_setfcap")

_REVISION_2, _REVISION_3, _EFFECTIVE = 0x02000000, 0x03000000, 1
_FORMAT = "<IIIII"
_CLAUSE = re.compile(r"([a-z0-9_,]*)((?:[=+-][eip]*)+)\Z")
_LONGEST_TEXT = 4096


class Capabilities(t.NamedTuple):
    """What a file has: numbers of capabilities, and whether all of them are effective at once."""

    permitted: t.FrozenSet[int]
    inheritable: t.FrozenSet[int]
    is_effective: bool


NONE = Capabilities(frozenset(), frozenset(), False)


def parse(text: str) -> Capabilities:
    """Return what *text* orders, such as ``cap_net_bind_service=+ep``.

    Raises ReleaseError, with the nearest name, for what is no such text, orders nothing, or cannot be had by a file.
    """
    if len(text) > _LONGEST_TEXT:
        raise _misfit(text, fix="name each capability once")
    sets = {"e": set(), "i": set(), "p": set()}  # type: t.Dict[str, t.Set[int]]
    for clause in text.lower().split():
        _apply(clause, sets, text)
    found = Capabilities(frozenset(sets["p"]), frozenset(sets["i"]), bool(sets["e"]))
    if found == NONE:
        raise _misfit(text, fix="leave the program out where it shall have no capability")
    if sets["e"] and sets["e"] != sets["p"] | sets["i"]:
        raise _misfit(text, fix="let all of its capabilities be effective (e), or none: a file has one bit for them")
    return found


def _apply(clause: str, sets: t.Dict[str, t.Set[int]], text: str) -> None:
    """Let one *clause* of *text* change *sets*, as cap_from_text(3) says: = takes all flags away, then gives some."""
    matched = _CLAUSE.match(clause)
    if not matched:
        name = re.split("[=+,-]", clause)[0]
        raise _misfit(text, fix=_nearest(name) if name not in NAMES else None)
    numbers = {_number(name, text) for name in matched.group(1).split(",")}
    for sign, flags in re.findall("([=+-])([eip]*)", matched.group(2)):
        for flag in "eip" if sign == "=" else flags:
            sets[flag] = sets[flag] | numbers if sign != "-" and flag in flags else sets[flag] - numbers


def _number(name: str, text: str) -> int:
    if name not in NAMES:
        raise _misfit(text, fix=_nearest(name))
    return NAMES.index(name)


def _nearest(name: str) -> t.Optional[str]:
    if name in ("", "all"):
        return "name each capability: all of them make root of whoever starts the program"
    near = difflib.get_close_matches(name, NAMES, n=1) or difflib.get_close_matches("cap_" + name, NAMES, n=1)
    return "did you mean {0}?".format(near[0]) if near else None


def _misfit(text: str, fix: t.Optional[str]) -> ReleaseError:
    return ReleaseError(
        "capabilities that no file can have",
        expected="text as setcap(8) takes it, such as cap_net_bind_service=+ep",
        found=ascii(text[:200]),
        fix=fix,
    )


def as_text(capabilities: Capabilities) -> str:
    """Return *capabilities* as text, the same for the same ones: ``cap_net_bind_service,cap_net_raw=ep``."""
    effective = "e" if capabilities.is_effective else ""
    clauses = []
    for flags, numbers in (
        ("ip", capabilities.inheritable & capabilities.permitted),
        ("i", capabilities.inheritable - capabilities.permitted),
        ("p", capabilities.permitted - capabilities.inheritable),
    ):
        if numbers:
            names = ",".join(NAMES[number] if number < len(NAMES) else str(number) for number in sorted(numbers))
            clauses.append("{0}={1}{2}".format(names, effective, flags))
    return " ".join(clauses) or "="


def canonical(text: str) -> str:
    """Return *text* as as_text writes it. Raises ReleaseError as parse does."""
    return as_text(parse(text))


def to_bytes(capabilities: Capabilities) -> bytes:
    """Return the value of the extended attribute."""
    permitted, inheritable = (
        sum(1 << number for number in numbers) for numbers in (capabilities.permitted, capabilities.inheritable)
    )
    low = 0xFFFFFFFF
    head = _REVISION_2 | (_EFFECTIVE if capabilities.is_effective else 0)
    return struct.pack(_FORMAT, head, permitted & low, inheritable & low, permitted >> 32, inheritable >> 32)


def from_bytes(value: bytes) -> t.Optional[Capabilities]:
    """Return what the extended attribute's *value* says; None where it is none that this version can have written."""
    size = struct.calcsize(_FORMAT)
    if len(value) not in (size, size + 4):
        return None
    head, low_permitted, low_inheritable, permitted, inheritable = struct.unpack(_FORMAT, value[:size])
    if head & ~_EFFECTIVE != (_REVISION_2 if len(value) == size else _REVISION_3) or value[size:].strip(b"\0"):
        return None
    return Capabilities(
        _bits(permitted << 32 | low_permitted), _bits(inheritable << 32 | low_inheritable), bool(head & _EFFECTIVE)
    )


def _bits(number: int) -> t.FrozenSet[int]:
    return frozenset(bit for bit in range(64) if number >> bit & 1)


def shown(text: str) -> str:
    """Return in one form what a host says of a file: hexadecimal digits of the attribute after 0x, or getcap's words.

    What cannot be understood comes back as it is, and is like nothing that was ordered.
    """
    text = text[:_LONGEST_TEXT].strip()
    if re.match("0x(?:[0-9a-f]{2})*\\Z", text):
        found = from_bytes(bytes(bytearray.fromhex(text[2:])))
        return text if found is None else as_text(found)
    try:
        return canonical(re.sub(r"\A= ", "", text))
    except ReleaseError:
        return text


def refusal(root: str, found: str) -> ReleaseError:
    """Return the error for a host that cannot set capabilities below *root*: foreseen, and when it is tried."""
    return ReleaseError(
        "capabilities cannot be set below {0}".format(root),
        expected="Linux, a user who may set them (root), and a file system that keeps and respects them",
        found=found,
        fix="run with become, choose another root, or leave out capabilities",
    )


#: What refusal finds.
NOT_LINUX = "another operating system"
NO_RIGHT = "a user, or a container, without CAP_SETFCAP"
NO_ATTRIBUTES = "a file system that keeps no capabilities"
NOSUID = "a file system that is mounted nosuid, where capabilities count for nothing"
