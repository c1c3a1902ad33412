#!/bin/sh
# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Which of these programs start? start.sh PROGRAM…: for each a line of exit status, program and the text it prints.
# One that starts tells its version when asked, one way or the other, and ends with 0. Runs on hosts.

# Where a program dies of a signal the shell says so, which is no line of ours.
exec 2>/dev/null
for program; do
    for question in --version version; do
        text=$(timeout 120 "$program" "$question" 2>&1 </dev/null)
        status=$?
        if [ "$status" = 0 ]; then break; fi
    done
    printf '%s %s %s\n' "$status" "$program" "$(printf '%s' "$text" | tr '\n\t\r' '   ' | cut -c1-2000)"
done
