# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who logs in, with which shell, and who may become whom by which program, where every combination is tried?"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

PACKAGES = (
    "acl",
    "busybox",
    "fish",
    "ksh93u+m",
    "mksh",
    "opendoas",
    "passwd",
    "tcsh",
    "yash",
    "zsh",
)
#: How /etc/shadow has the password of root, for su, and of who is asked for one: correct horse.
PASSWORD = "$6$anywhere$inOJcDiAvPmZe3CqDeT5mRy/6FQQ9zKVLNqMHhUx2Tsf1HGIj.cRCfw8RDUMERhWDKQmrfQycn7MgsQWzMg4B1"
#: Login shells by the name of the user who has them.
SHELLS = {
    "dash": "/bin/dash",
    "bash": "/bin/bash",
    "busybox": "/opt/shells/ash",
    "ksh93": "/bin/ksh93",
    "mksh": "/bin/mksh",
    "yash": "/usr/bin/yash",
    "zsh": "/bin/zsh",
    "tcsh": "/bin/tcsh",
    "fish": "/usr/bin/fish",
    # Says more than it is asked, at each start, on both streams, with the ends of lines that terminals have.
    "chatty": "/opt/shells/chatty",
    # Says more at each end as well.
    "talkative": "/opt/shells/talkative",
    # Their sudo wants a terminal, or a password.
    "ttys": "/bin/bash",
    "asked": "/bin/bash",
    # Nobody logs in as this one: others become it.
    "app": "/bin/sh",
}
POSIX = ("dash", "bash", "busybox", "ksh93", "mksh", "yash", "zsh")
CHATTY = r"""#!/bin/sh
printf 'Welcome to %s\r\n\r\n@@end of the news\r\n' "$(uname -n)"
printf 'Authorized use only.\r\n' >&2
"""
TALKATIVE = r"""
/bin/sh "$@"
status=$?
printf 'Good bye\r\n'
printf 'Closed.\r\n' >&2
exit $status
"""
SUDOERS = """Defaults:ttys requiretty
ttys ALL=(ALL) NOPASSWD: ALL
asked ALL=(ALL) ALL
"""
DOAS = "permit nopass keepenv :operators\npermit nopass root\npermit asked\n"


def add_users(root: Path) -> None:
    """Add the users of SHELLS to the host's files in *root*, and what sudo and doas allow them."""
    shells = root / "opt/shells"
    shells.mkdir()
    (shells / "ash").symlink_to("/bin/busybox")
    for name, shell in SHELLS.items():
        # As its users have it where it is the system's sh. With this name, bash, ksh and zsh keep to POSIX.
        if name in POSIX:
            (shells / name).mkdir()
            (shells / name / "sh").symlink_to("/bin/busybox" if name == "busybox" else shell)
    write(shells / "chatty", f'{CHATTY}exec /bin/sh "$@"\n', 0o755)
    write(shells / "talkative", f"{CHATTY}{TALKATIVE}", 0o755)
    for number, (name, shell) in enumerate(SHELLS.items(), 3000):
        append(root / "etc/passwd", [f"{name}:x:{number}:{number}::/home/{name}:{shell}"])
        append(root / "etc/group", [f"{name}:x:{number}:"])
        append(root / "etc/shadow", [f"{name}:{PASSWORD if name == 'asked' else '*'}:20000:0:99999:7:::"])
        home = root / "home" / name
        home.mkdir(mode=0o755)
        os.chown(home, number, number)
    operators = [name for name in SHELLS if name not in ("ttys", "asked", "app")]
    append(root / "etc/group", [f"operators:x:2999:{','.join(operators)}"])
    shadow = root / "etc/shadow"
    write(shadow, shadow.read_text(encoding="utf-8").replace("root:*:", f"root:{PASSWORD}:", 1), 0o640)
    write(root / "etc/sudoers.d/shells", f"%operators ALL=(ALL) NOPASSWD: ALL\n{SUDOERS}", 0o440)
    write(root / "etc/doas.conf", DOAS, 0o400)


def append(path: Path, lines: Sequence[str]) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)


def write(path: Path, text: str, mode: int) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
