# shellcheck shell=sh
# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# By what else do other tools find what is installed (module_utils/layouts.py)? Part of answer.sh, whose variables it uses.
# shellcheck disable=SC2034,SC2154

# describe_layouts: ends the answer where one of the folders cannot be trusted.
describe_layouts() {
    cd "$root" 2>/dev/null || return
    ways=
    for folder in modulefiles tool_cache modulefiles/* tool_cache/*; do
        tool=${folder#*/}
        if [ "$tool" != "$folder" ] && ! is_installed "$tool"; then continue; fi
        if [ -e "$folder" ] || [ -L "$folder" ]; then ways="$ways$newline=$root/$folder"; fi
    done
    for folder in tool_cache/*/*; do
        if is_entry "$folder" && [ -d "$folder" ] && is_installed "$(tool_of "$folder")"; then ways="$ways$newline=$root/$folder"; fi
    done
    judge_ways
    set --
    for entry in modulefiles/*/.version modulefiles/*/* tool_cache/*/*/*; do
        if ! is_entry "$entry" || ! is_installed "$(tool_of "$entry")"; then continue; fi
        if [ -L "$entry" ]; then set -- "$@" "$entry"; elif [ -e "$entry" ]; then describe_entry "$entry"; fi
    done
    links_of "$root" "$@" | sed 's/^/layout link /'
}

tool_of() {
    entry_of_tool=${1#*/}
    say "${entry_of_tool%%/*}"
}

# is_installed TOOL: or it was, or will be.
is_installed() {
    is_name "$1" || return 1
    case $newline$candidates$newline in *"$newline$1/"*) return 0 ;; esac
    [ -e "$root/store/$1" ]
}

# is_entry PATH: which holds nothing that a shell or sed expands.
is_entry() { case $1 in *[!A-Za-z0-9._+~!/-]*) return 1 ;; esac; }

# describe_entry PATH: a file, or something that is none of ours.
describe_entry() {
    digest=
    if [ -f "$1" ] && [ -n "$sha256" ] && are_own_files 64 "$1"; then
        digest=$($sha256 "$1" | sed 's/^\\*\([0-9a-f]*\).*/\1/')
    fi
    if [ -n "$digest" ]; then say "layout file $1 $digest"; else say "layout other $1 -"; fi
}
