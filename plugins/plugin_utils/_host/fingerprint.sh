# shellcheck shell=sh
# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What do the active files of some tools, and the links to them or copies of them, look like right now? A line each: name, inode,
# size, mtime, ctime, mode, owner, group. Runs on hosts, in any POSIX sh, with ROOT, BIN_DIR and the tools as arguments:
# after a converge, to write the seals, and in each probe, to compare with them. ctime is what no one can set back.
# Fails where one of them is not there: what is missing looks like nothing, and nothing is easily remembered.
cd "$1/current" 2>/dev/null || exit 1
bin_dir=$2
shift 2
export LC_ALL=C TZ=UTC0 PATH=/usr/bin:/bin:/usr/sbin:/sbin:/run/current-system/sw/bin:/run/current-system/profile/bin:/system/bin
# The probe knows by now which kind of stat this is.
if [ "$stat_option" = -c ] || { [ -z "$stat_option" ] && stat -c %n . >/dev/null 2>&1; }; then
    option=-c format='%n %i %s %y %z %f %u %g'
else
    option=-f format='%N %i %z %Fm %Fc %Xp %u %g'
fi

# The link that makes it the active one, the links to its programs (or copies of them) and other files, and all of the
# tree. No tool's name begins with a dash, and no path of a linked file, below TOOL/files, holds a space. What is no name
# of a program is not looked for in bin_dir: a line break in it would begin another argument of find.
newline='
'
places=
folders=
for tool in "$@"; do
    places="$places$tool$newline$tool/$newline"
    for program in "$tool"/bin/*; do
        program=${program##*/}
        case $program in *"$newline"*) continue ;; esac
        if [ -L "$bin_dir/$program" ] || [ -f "$bin_dir/$program" ]; then places="$places$bin_dir/$program$newline"; fi
    done
    if [ -d "$tool/files" ]; then folders="$folders $tool/files"; fi
done
# shellcheck disable=SC2086
for file in ${folders:+$(find $folders ! -type d)}; do
    if [ -L "${bin_dir%/*}/${file#*/files/}" ]; then places="$places${bin_dir%/*}/${file#*/files/}$newline"; fi
done
# At once: to add to "$@" one by one takes time that grows with the square of their number.
IFS=$newline
set -f
# shellcheck disable=SC2086
set -- $places
if [ $# -gt 0 ]; then find "$@" -exec stat "$option" "$format" {} + 2>/dev/null; fi
