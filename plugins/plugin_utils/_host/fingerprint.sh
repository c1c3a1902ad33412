# shellcheck shell=sh
# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What do the links to some active tools (or copies of their programs), and their files, look like right now? A line each:
# path, //, inode, size, mtime, ctime, mode, owner, group. First all links, then tool by tool what its tree holds and by
# what other tools find it (module_utils/layouts.py), always in the same order. Runs on hosts, in any POSIX sh, with ROOT,
# BIN_DIR and TOOL/TREE of each tool as arguments: after a converge, to write the seals, and in a probe, to compare with
# them. With = and paths in the place of tools, it says how these look. ctime is what no one can set back.
# Fails where one of them is not there: what is missing looks like nothing, and nothing is easily remembered.
cd "$1/current" 2>/dev/null || exit 1
bin_dir=$2
shift 2
export LC_ALL=C TZ=UTC0 PATH=/usr/bin:/bin:/usr/sbin:/sbin:/run/current-system/sw/bin:/run/current-system/profile/bin:/system/bin
# The probe knows by now which kind of stat this is.
if [ "$stat_option" = -c ] || { [ -z "$stat_option" ] && stat -c %n . >/dev/null 2>&1; }; then
    option=-c format='%n // %i %s %Y %z %f %u %g'
else
    option=-f format='%N // %i %z %m %Fc %Xp %u %g'
fi
if [ "$1" = = ]; then
    shift
    exec stat "$option" "$format" "$@" 2>/dev/null
fi

# The links to a tool's programs (or copies of them) and other files, the link that makes a tree the active one, and all of
# the tree. No tool's name begins with a dash, and no path of a linked file, below TOOL/files, holds a space. What is no
# name of a program is not looked for in bin_dir: a line break in it would begin another argument of find.
newline='
'
links=
trees=
folders=
for active in "$@"; do
    tool=${active%%/*}
    for program in "$tool"/bin/*; do
        program=${program##*/}
        case $program in *"$newline"*) continue ;; esac
        if [ -L "$bin_dir/$program" ] || [ -f "$bin_dir/$program" ]; then links="$links$bin_dir/$program$newline"; fi
    done
    if [ -d "$tool/files" ]; then folders="$folders $tool/files"; fi
    trees="$trees$tool$newline../store/$active$newline"
    if [ -d "../modulefiles/$tool" ]; then trees="$trees../modulefiles/$tool$newline"; fi
    for cached in "../tool_cache/$tool"/*/*; do
        case $cached in *"$newline"*) continue ;; esac
        if [ -L "$cached" ]; then trees="$trees$cached$newline"; fi
    done
done
# shellcheck disable=SC2086
for file in ${folders:+$(find $folders ! -type d)}; do
    if [ -L "${bin_dir%/*}/${file#*/files/}" ]; then links="$links${bin_dir%/*}/${file#*/files/}$newline"; fi
done
# At once: to add to "$@" one by one takes time that grows with the square of their number.
IFS=$newline
set -f
# shellcheck disable=SC2086
set -- $links$trees
if [ $# -eq 0 ]; then exit; fi
find "$@" -exec stat "$option" "$format" {} + 2>/dev/null
