# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does a reader of the story need to see of what Ansible prints? A filter, line by line, as it is printed.

Left out: empty lines, headings of plays and tasks, the recap, how a role is found and its arguments are validated, and
what a receipt says.
"""

import re
import signal
import sys

#: Tasks whose success says nothing; what they fail with is shown.
SILENT = re.compile(r"Tell what changed|Validating arguments|Install what is pinned")
LEFT_OUT = re.compile(r"\s*$|included: |\s+msg:$")

# Who interrupts the story still wants to read what Ansible says to it.
signal.signal(signal.SIGINT, signal.SIG_IGN)
in_recap = is_silent = False
receipt_column = None
for line in sys.stdin:
    column = len(line) - len(line.lstrip())
    if receipt_column is not None and column > receipt_column:
        continue
    receipt_column = None
    if line.startswith(("PLAY ", "TASK ")):
        in_recap, is_silent = line.startswith("PLAY RECAP"), bool(SILENT.search(line))
    elif line.strip() == "receipt:":
        receipt_column = column
        print("  ", line.rstrip(), "…", flush=True)
    elif not (in_recap or LEFT_OUT.match(line) or (is_silent and line.startswith(("ok: ", "changed: ")))):
        print("  ", line, end="", flush=True)
