# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How do files get the labels that the host's SELinux policy wants for their places? Runs on hosts.

A file is labelled like the folder that it is made in, while a policy goes by its path: in /opt, what lies below a bin
or a libexec is a program, by which a service gets a domain of its own, and what lies beside is not. restorecon(8) knows
the policy, and what the administrator added to it with semanage-fcontext(8).
"""

import os
import subprocess
import typing as t

_IS_ON = "/sys/fs/selinux/enforce"  # in permissive mode as well: labels must be right when it ends
_COMMANDS = ("/usr/sbin/restorecon", "/sbin/restorecon")


def set_labels(paths: t.Sequence[str]) -> None:
    """Label *paths*, and all below those that are folders, as the policy says. No link is followed.

    Where that fails (no such command, a file system without labels, a user who may not), what the files were made with
    stays: the policy's word as well.
    """
    command = next((command for command in _COMMANDS if os.path.exists(command)), None)
    if not paths or command is None or not os.path.exists(_IS_ON):
        return
    subprocess.run(  # pylint: disable=ansible-bad-function
        [command, "-R", *paths],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
