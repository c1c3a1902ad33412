#!/usr/bin/python
# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes text files, all of them in one run, for which the module copy takes two runs of a Python each."""

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    options = {"path": {"type": "path", "required": True}, "text": {"type": "str", "required": True}}
    files = {"type": "list", "elements": "dict", "options": options, "required": True}
    module = AnsibleModule(argument_spec={"files": files})
    for file in module.params["files"]:
        with open(file["path"], "w") as opened:
            opened.write(file["text"])
    module.exit_json(changed=True)


if __name__ == "__main__":
    main()
