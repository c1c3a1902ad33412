# shellcheck shell=sh
# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The rest of the one question: what is installed, and what machine is this? Made by probe.py of this file and of those
# that come before it.
# Runs in the shell of probe.sh, with its variables and functions. Set before, too:
#   owner group   whose group the trees shall have; empty means that any will do
#   audit         not empty: what came beside what is ours is told, too
#   task_path     the PATH that the task names in its environment
#   environment   words NAME=VALUE, quoted, of the task's environment: with them, the Python that the user names is started
#   python        the command of the Python that the user names; auto means that one is looked for, empty that none is asked
#                 for
#   candidates    lines TOOL/VERSION: trees of these would serve, if they are kept here
#   names         lines: programs that are to be linked, and paths of other files that are to be
#   needs         lines: libraries, LIBRARY:SYMBOL_VERSION, paths of interpreters and libraries, bin/PROGRAM
# shellcheck disable=SC2154
if [ "$ask" = state ]; then
    if [ -n "$sealed" ] && describe_compared; then finish; fi
    describe_state
fi
cd /
if [ "$ask" = state ]; then find_python; fi
describe_machine
find_needs
finish
