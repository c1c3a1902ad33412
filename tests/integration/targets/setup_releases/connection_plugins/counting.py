# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The local connection, which writes a line for each thing that it is asked to do."""

from __future__ import annotations

from typing import Any

from ansible.plugins.connection.local import Connection as LocalConnection

DOCUMENTATION = """
name: counting
short_description: Count the operations of a local connection
description: Does what ansible.builtin.local does, and notes each operation.
author: pinned.release contributors (@pinned-release)
version_added: 0.1.0
options:
  operations:
    description: File that gets a line for each operation, its name.
    type: path
    required: true
    vars:
      - name: counting_operations
  become_success_timeout:
    description: As of ansible.builtin.local.
    type: int
    default: 10
  become_strip_preamble:
    description: As of ansible.builtin.local.
    type: bool
    default: true
extends_documentation_fragment:
  - connection_pipelining
"""


class Connection(LocalConnection):
    """The operations are all that ansible-core asks of a connection plugin once it is connected."""

    transport = "counting"

    def exec_command(self, *args: Any, **kwargs: Any) -> Any:
        self._note("exec_command")
        return super().exec_command(*args, **kwargs)

    def put_file(self, *args: Any, **kwargs: Any) -> Any:
        self._note("put_file")
        return super().put_file(*args, **kwargs)

    def fetch_file(self, *args: Any, **kwargs: Any) -> Any:
        self._note("fetch_file")
        return super().fetch_file(*args, **kwargs)

    def _note(self, operation: str) -> None:
        with open(self.get_option("operations"), "a") as file:
            file.write(operation + "\n")
