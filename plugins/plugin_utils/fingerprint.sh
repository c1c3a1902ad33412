# shellcheck shell=sh
# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What do the active files and links look like right now? One line each: inode, size, mtime, ctime, mode, owner, group,
# name. Runs on hosts, in any POSIX sh, with ROOT as $1 and BIN_DIR as $2: after a converge, to write the seal, and in
# each probe, to compare with it. ctime is what no one can set back.
cd "$1/current" 2>/dev/null || exit 0
bin_dir=$2
export LC_ALL=C TZ=UTC0 PATH=/usr/bin:/bin:/usr/sbin:/sbin:/run/current-system/sw/bin:/run/current-system/profile/bin:/system/bin
if stat -c %n . >/dev/null 2>&1; then
    option=-c format='%i %s %y %z %f %u %g %n'
else
    option=-f format='%i %z %Fm %Fc %Xp %u %g %N'
fi
set --
for program in */bin/*; do
    if [ -L "$bin_dir/${program##*/}" ]; then set -- "$@" "$bin_dir/${program##*/}"; fi
done
# No tool's name begins with a dash.
# shellcheck disable=SC2035
{
    stat "$option" "$format" * "$@"
    find */ ! -type d -exec stat "$option" "$format" {} +
} 2>/dev/null | sort
