# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which commands do the pages have, in which order are they run, and which of them does run_pages.py not run, and why?

A command stands in a block ``console``, behind ``$``; a block ``sh`` is one script. What is printed stands in ``text``.
"""

import re
from dataclasses import dataclass
from pathlib import Path

#: All other pages begin with what is there at the end of the first.
FIRST = "docs/guide/getting-started.md"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
#: Commands by their beginnings.
NOT_RUN = {
    "make quickstart": "it needs the real registries; the workflow of the repository runs it",
    "make test": "it runs this test",
    "(cd .build/quickstart": "it continues the quickstart",
    "xdg-open": "it needs a screen",
    "ansible-galaxy collection build\n": "it is run in a clone; getting started does the same from beside one",
    "python3 -m pip install -r requirements.txt": "it changes the Python that runs the test",
    "ansible-galaxy collection install community.general": "it needs Galaxy",
    "ansible-galaxy collection install ansible.posix": "it needs Galaxy",
    "ANSIBLE_STDOUT_CALLBACK=ansible.posix.json": "it needs what Galaxy has; test_telling.py has a callback like it",
    "ansible-playbook -i /srv/image, -c community.general.chroot": "tests/fleet/anywhere runs it, with a chroot",
    "ansible-pull": "the target rollouts runs it, with a repository and folders of its own",
    "module": "a function of login shells; test_layouts.py asks Environment Modules itself",
    "for ecosystem in": "it downloads a gigabyte from the publisher of advisories",
}


@dataclass(frozen=True)
class Block:
    """A block of a page, and the commands in it."""

    kind: str
    text: str

    @property
    def commands(self) -> "list[str]":
        """Return the commands, without prompts."""
        if self.kind == "sh":
            return [self.text]
        if self.kind != "console":
            return []
        return [
            re.sub("^> ", "", text, flags=re.MULTILINE) for text in re.split(r"^\$ ", self.text, flags=re.MULTILINE)[1:]
        ]


def blocks(page: Path) -> "list[Block]":
    return [Block(*found) for found in BLOCK.findall(page.read_text(encoding="utf-8"))]


def pages(collection: Path) -> "list[str]":
    """Return the pages that users read, in the order in which they are followed."""
    found = [collection / "README.md"]
    for pattern in ("docs/*.md", "docs/guide/*.md", "roles/*/README.md"):
        found += sorted(collection.glob(pattern))
    names = [str(page.relative_to(collection)) for page in found]
    return [FIRST, *(name for name in names if name != FIRST)]


def why_not(command: str) -> "str | None":
    """Return why a command is not run, or None."""
    return next((reason for beginning, reason in NOT_RUN.items() if command.startswith(beginning)), None)
