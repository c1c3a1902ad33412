# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pack NAMES of FOLDER into ARCHIVE with the headers that pinned.release.mirror writes, which tar does not.

python3 pack.py ARCHIVE FOLDER NAMES...
"""

from __future__ import annotations

import sys
import tarfile
from pathlib import Path

archive, folder, *names = sys.argv[1:]
with tarfile.open(archive, "w", format=tarfile.USTAR_FORMAT) as packed:
    for name in names:
        member = tarfile.TarInfo(name)
        member.mtime, member.size = 315532800, (Path(folder) / name).stat().st_size
        with (Path(folder) / name).open("rb") as content:
            packed.addfile(member, content)
