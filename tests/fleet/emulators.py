# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How does the kernel learn to start programs of foreign architectures, and forget it again?"""

from __future__ import annotations

from pathlib import Path

# As the package would register it at the machine's start, but with "C": programs keep their set-uid bit, so sudo works.
# Kernels since 6.7 forget it when the last mount goes, which may be this one.
ENABLE_EMULATOR = """
set -eu
formats=/proc/sys/fs/binfmt_misc
[ -e $formats/register ] || mount -t binfmt_misc binfmt_misc $formats
if [ -n "$EMULATOR" ] && [ ! -e "$formats/$USER_OF_IT.$EMULATOR" ]; then
    sed "s/^:[^:]*:/:$USER_OF_IT.$EMULATOR:/; s/:[A-Z]*$/:OCPF/" "/usr/lib/binfmt.d/$EMULATOR.conf" > $formats/register
fi
"""


def forget_emulators(user: str) -> None:
    for registered in Path("/proc/sys/fs/binfmt_misc").glob(f"{user}.qemu-*"):
        registered.write_text("-1", encoding="utf-8")
