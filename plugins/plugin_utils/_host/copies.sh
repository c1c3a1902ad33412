# shellcheck shell=sh
# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Which files in bin_dir are copies of programs that we put there, and what are they like? Part of answer.sh, whose variables
# it uses. root/copies has a line for each: TOOL NAME FOLDER (module_utils/outside.py).
# shellcheck disable=SC2154

# copies_in FOLDER: lines TOOL NAME. FOLDER has no links in it.
copies_in() {
    if ! are_own_files 1024 "$root/copies"; then return; fi
    said=
    while IFS=' ' read -r tool name folder; do
        if [ "$folder" != "$said" ]; then
            said=$folder
            case $folder in
            /*) place=$folder ;;
            *) place=$(cd "$root/$folder" 2>/dev/null && pwd -P) ;;
            esac
        fi
        if [ "$place" = "$1" ] && is_name "$tool" && is_name "$name"; then say "$tool $name"; fi
    done <"$root/copies"
}

# copies_elsewhere TOOL FOLDER: those of a tool that is not in this question's bin_dir.
copies_elsewhere() {
    copies_in "$2" | while read -r tool name; do
        if [ "$tool" = "$1" ] && [ -f "$2/$name" ] && [ ! -L "$2/$name" ]; then
            describe_copy "copy_elsewhere $1" "$2" "$name"
        fi
    done
}

# describe_copy WORDS FOLDER NAME: what the file is, after WORDS. What is too large for any program is not read.
describe_copy() {
    words=$1
    file=$2/$3
    # shellcheck disable=SC2046
    set -- "$3" $(of_each "%f %u %g %s" "%Xp %u %g %z" " $file")
    [ $# -eq 5 ] || return
    digest=
    if [ -n "$sha256" ] && fits "$largest" "$5"; then digest=$($sha256 "$file" | sed 's/^\\*\([0-9a-f]*\).*/\1/'); fi
    owned=other
    case $3 in 0 | "$user") owned=ours ;; esac
    extra=none
    find_readers
    case $(ls -ld "$file") in ??????????+*) extra=acl ;; esac
    if [ -n "$(access_lists "$file")" ]; then extra=acl; fi
    if [ -n "$(capabilities "$file")" ]; then extra=capability; fi
    say "$words $1 ${digest:--} $2 $owned $4 $extra"
}
