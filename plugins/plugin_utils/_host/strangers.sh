# shellcheck shell=sh
# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What came beside what is ours: below root, in the groups of our trees, and before bin_dir on PATH? Part of answer.sh, whose
# variables it uses. Only an audit asks.
#   given_path    the PATH with which the question came
# shellcheck disable=SC2154

describe_strangers() {
    describe_strays
    describe_groups
    describe_shadows
}

# describe_strays: what lies below root, down to the trees, and what we would never make there. What a run that was killed
# left in the folder staging goes with the next run.
describe_strays() {
    cd "$root" 2>/dev/null || return
    for entry in * .[!.]* ..?*; do
        case $entry in
        store | current | seals | asked | staging | lock | copies | made | modulefiles | tool_cache) ;;
        *) case $bin_dir/ in "$root/$entry"/*) ;; *) say_stray "$entry" ;; esac ;;
        esac
    done
    for entry in store/* store/.[!.]* store/..?* current/* current/.[!.]* current/..?*; do
        if is_name "${entry#*/}"; then
            case $entry in
            store/*) if [ -d "$entry" ] && [ ! -L "$entry" ]; then continue; fi ;;
            *) if [ -L "$entry" ]; then continue; fi ;;
            esac
        fi
        say_stray "$entry"
    done
    for entry in store/*/* store/*/.[!.]* store/*/..?*; do
        if [ -L "${entry%/*}" ] || { is_tree "${entry##*/}" && [ -d "$entry" ] && [ ! -L "$entry" ]; }; then continue; fi
        say_stray "$entry"
    done
    for entry in modulefiles/* tool_cache/*; do
        if ! is_installed "${entry#*/}"; then say_stray "$entry"; fi
    done
}

say_stray() {
    if [ ! -e "$1" ] && [ ! -L "$1" ]; then return; fi
    encode "$root/$1"
    say "stray $encoded"
}

# describe_groups: what belongs to another group than the tree that it is in: a rollout gives all of it to one. Which one that
# is, contents.sh knows of active trees where the task names it; kept ones may be of another rollout.
describe_groups() {
    cd "$root/store" 2>/dev/null || return
    trees=$active
    if [ -n "$ordered_gid" ]; then trees=; fi
    # shellcheck disable=SC2046,SC2086
    groups=$(stat_of "%g %n" "%g %N" $trees $(kept_candidates))
    for gid in $(say "$groups" | sed 's/ .*//' | sort -u); do
        # shellcheck disable=SC2046
        of_others "$gid" $(say "$groups" | sed -n "s/^$gid //p")
    done | while IFS=' ' read -r other place; do
        tree=${place#*/}
        encode "${tree#*/}"
        say "other_group ${place%%/*} ${tree%%/*} $other $encoded"
    done
}

# of_others GID TOOL/TREE...: lines GROUP PLACE of what does not belong to the group GID.
of_others() {
    group_of_tree=$1
    shift
    case $stat_option in
    -c) find "$@" ! -type l ! -group "$group_of_tree" ! -name receipt.json -exec stat -c "%g %n" {} + ;;
    *) find "$@" ! -type l ! -group "$group_of_tree" ! -name receipt.json -exec stat -f "%g %N" {} + ;;
    esac 2>/dev/null
}

# describe_shadows: programs that are started in place of ours, and whether bin_dir is on PATH at all.
describe_shadows() {
    reached=
    before_bin_dir "${task_path:-$given_path}"
    before_bin_dir /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    if [ -z "$reached" ]; then say off_path; fi
}

# before_bin_dir PATH: tells of the first program on it that has the name of one of ours, if that is not ours.
before_bin_dir() {
    folders=
    left=$1:
    while [ -n "$left" ]; do
        folder=${left%%:*}
        left=${left#*:}
        case $folder in /*) ;; *) continue ;; esac
        if [ "$(cd "$folder" 2>/dev/null && pwd -P)" = "$bin_dir" ]; then
            reached=yes
            find_shadows
            return
        fi
        folders=$folders$newline$folder
    done
}

find_shadows() {
    IFS=$newline
    set -f
    # shellcheck disable=SC2086
    set -- $folders
    set +f
    IFS=$usual_ifs
    if [ $# -eq 0 ]; then return; fi
    for link in "$root"/current/*/bin/*; do
        program=${link##*/}
        tool=${link#"$root/current/"}
        tool=${tool%%/*}
        if ! is_name "$program" || ! is_name "$tool" || [ ! -e "$bin_dir/$program" ]; then continue; fi
        for folder in "$@"; do
            if [ -f "$folder/$program" ] && [ -x "$folder/$program" ] && ! is_same "$folder/$program" "$bin_dir/$program"; then
                encode "$folder/$program"
                say "shadow $tool $program $encoded"
                break
            fi
        done
    done
}

# is_same FILE FILE: whether both lead to one file.
is_same() {
    # shellcheck disable=SC3013
    [ "$1" -ef "$2" ] 2>/dev/null
}
