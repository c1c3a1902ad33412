# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make wheels without any code of all that a controller needs, for pip to fetch: wheels.py FOLDER."""

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

from ansible.release import __version__

folder = Path(sys.argv[1])
folder.mkdir(exist_ok=True)
asked = [sys.executable, "-m", "ansible.cli.doc", "--json", "--type", "module", "pinned.release.mirror"]
documented = json.loads(subprocess.check_output(asked))["pinned.release.mirror"]["doc"]["filename"]
requirements = (Path(documented).parents[2] / "requirements.txt").read_text(encoding="utf-8")
names = re.findall(r"^[A-Za-z][A-Za-z0-9._-]*", requirements, re.MULTILINE)
# As new as any that is asked for.
for name, version in {**dict.fromkeys(names, "99.0"), "ansible-core": __version__}.items():
    stem = f"{re.sub('[-_.]+', '_', name.lower())}-{version}"
    with zipfile.ZipFile(folder / f"{stem}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{stem}.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        wheel.writestr(f"{stem}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{stem}.dist-info/RECORD", "")
