# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How does a program start on a host that has nothing of it? From memory. Runs on hosts.

Nothing of it is written there. This text itself is what is run first (plugin_utils/carry.py makes it the beginning of
the program), so it imports only what every Python has.
"""

import importlib
import importlib.machinery
import sys
import typing as t

#: Its function main() is the program.
ENTRY = "ansible_collections.pinned.release.plugins.module_utils.host_run"


class Parts:
    """Finds and loads the modules that came along: *sources* are their texts by name; None for a package."""

    def __init__(self, sources: t.Dict[str, t.Optional[str]]) -> None:
        self._sources = sources

    def find_spec(self, name: str, path: t.Any = None, target: t.Any = None) -> t.Any:
        """Return how to load the module *name*; None if it did not come along."""
        if name not in self._sources:
            return None
        return importlib.machinery.ModuleSpec(
            name, t.cast(t.Any, self), origin="<{0}>".format(name), is_package=self._sources[name] is None
        )

    def create_module(self, spec: t.Any) -> None:
        """Leave it to Python to make the module."""

    def exec_module(self, module: t.Any) -> None:
        """Run the text of *module* in it."""
        exec(compile(self.get_source(module.__name__), module.__spec__.origin, "exec", 0, True), module.__dict__)

    def get_source(self, name: str) -> str:
        """Return the text of the module *name*, for tracebacks, too."""
        return self._sources[name] or ""


def start(sources: t.Dict[str, t.Optional[str]], orders: bytes, stream: t.BinaryIO, words: t.List[str]) -> int:
    """Run the program whose modules are *sources* on *orders*; return its exit status. *words* are for it as well."""
    sys.meta_path.insert(0, t.cast(t.Any, Parts(sources)))
    return int(importlib.import_module(ENTRY).main(orders, stream, *words))
