# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does a reader of the story need to see of what Ansible prints? A filter, line by line, as it is printed.

Left out: empty lines, headings of plays and tasks, the recap, how a role is found and its arguments are validated, what
receipts and findings say, a failure's other tellings, and where all lies: the folder of the story, the first argument.
"""

import re
import signal
import sys
import textwrap

#: So many characters of a line fit a terminal of 80 columns, behind those that every line begins with.
WIDTH = 77
#: Tasks whose success says nothing; what they fail with is shown.
SILENT = re.compile(r"Tell what changed|Look at the|Validating arguments|Install what is pinned|Notify the handlers")
LEFT_OUT = re.compile(
    r"\s*$|included: |skipping: no hosts matched|\s+(msg:|changed: false|\w+: \[\]|(root|bin_dir): .*)$"
)
#: Before a task's result, newer versions of Ansible tell its failure; the result tells it to programs, and to people.
TOLD_BEFORE = re.compile(r"\[ERROR\]: Task failed")
RESULT = re.compile(r"fatal: |\S+ \| (FAILED|UNREACHABLE)")
BLOCK = re.compile(r"\s+(receipt|findings|wanted|host):$")


def main(folder: str) -> None:
    in_recap = is_silent = is_told_later = False
    block_column = None
    for line in sys.stdin:
        column = len(line) - len(line.lstrip())
        # The items of a list stand below the first letter of its name.
        is_item = column == block_column and line.lstrip().startswith("- ")
        if block_column is not None and (column > block_column or is_item):
            continue
        block_column = None
        if line.startswith(("PLAY ", "TASK ")):
            in_recap, is_silent = line.startswith("PLAY RECAP"), bool(SILENT.search(line))
        elif BLOCK.match(line):
            block_column = column
            show(line.rstrip() + " …\n")
        else:
            is_told_later = bool(TOLD_BEFORE.match(line)) or (is_told_later and not RESULT.match(line))
            is_dull_success = is_silent and line.startswith(("ok: ", "changed: ", "skipping: "))
            if not (in_recap or is_told_later or is_dull_success or LEFT_OUT.match(line)):
                show(line.replace(folder, ""))


def show(line: str) -> None:
    for part in folded(line.rstrip("\n")):
        print("  ", part, flush=True)


def folded(line: str) -> list[str]:
    """Return *line* as lines that fit the screen, unless a word does not: words are not cut, to be copied."""
    if len(line) <= WIDTH:
        return [line]
    indent = " " * (len(line) - len(line.lstrip()))
    return textwrap.wrap(
        line.strip(),
        WIDTH,
        initial_indent=indent,
        subsequent_indent=f"{indent}    ",
        break_long_words=False,
        break_on_hyphens=False,
    )


# Who interrupts the story still wants to read what Ansible says to it.
signal.signal(signal.SIGINT, signal.SIG_IGN)
main(sys.argv[1])
