# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the documentation of several plugins has in common."""

from __future__ import annotations


class ModuleDocFragment:
    """Attributes of every action, and options that more than one of them has."""

    DOCUMENTATION = r"""
options: {}
attributes:
  action:
    description: Has an action plugin, which decides everything on the controller.
    support: full
  async:
    description: Can be run in the background with C(async).
    support: none
  check_mode:
    description: Tells in check mode what it would change, and changes nothing.
  diff_mode:
    description: Shows what changes in diff mode.
  idempotent:
    description: Run twice in a row, with nothing else changed in between, the second run reports C(changed=false).
    support: full
  platform:
    description: The systems that it works on.
    platforms: posix
    support: full
"""

    PLACE = r"""
options:
  root:
    description:
      - Folder below which the versions are kept on the host. V(~/) stands for the home of the user who runs there.
      - The default is V(/opt/pinned.release) for root, and V($XDG_DATA_HOME/pinned.release)
        (V(~/.local/share/pinned.release)) for everyone else.
    type: str
  bin_dir:
    description:
      - Folder in which the programs appear on the host, as symbolic links.
      - The default is V(/usr/local/bin) for root, and V(~/.local/bin) for everyone else.
    type: str
"""

    INTEGRITY = r"""
options:
  integrity:
    description:
      - How to find out whether installed files are still what was installed.
      - With V(quick), files whose inode, size, times, owner and mode are as they were sealed count as unchanged;
        whatever differs is hashed.
      - With V(full), every file is hashed on the host, whatever its times say.
    type: str
    choices: [quick, full]
    default: quick
"""
