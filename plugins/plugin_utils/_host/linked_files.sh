# shellcheck shell=sh
# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What stands where files of tools that are no programs are linked: below the folder that bin_dir lies in? Part of
# answer.sh, whose variables it uses. These folders are shared with others, and held to the rules of chain.sh.
# shellcheck disable=SC2034,SC2154

# describe_linked_files: in the lines of describe_links. Ends the answer where one of the folders cannot be trusted. A path
# holds no space, and nothing that a shell expands.
describe_linked_files() {
    paths=$(linked_paths)
    if [ -z "$paths" ]; then return; fi
    ways=
    for folder in $(say "$paths" | sed 's,/[^/]*$,,' | sort -u); do
        way_to "${bin_dir%/*}/$folder"
    done
    judge_ways
    for path in $paths; do
        describe_file "$path"
    done
}

# linked_paths: those that the question names, and those that a tree here has a file for.
linked_paths() {
    case $names in
    */*) ;;
    *)
        set -- "$root"/store/*/*/files
        [ -e "$1" ] || [ $# -gt 1 ] || return
        ;;
    esac
    {
        say "$names"
        cd "$root/store" 2>/dev/null && find ./*/*/files ! -type d 2>/dev/null | sed -n 's,^\./[^/]*/[^/]*/files/,,p'
    } | sort -u | while IFS= read -r path; do
        if is_path "$path"; then say "$path"; fi
    done
}

is_path() {
    case /$1 in /bin/* | *[!A-Za-z0-9._+@/-]* | */ | */[!A-Za-z0-9_]*) return 1 ;; esac
    case $1 in */*) [ ${#1} -le 255 ] ;; *) return 1 ;; esac
}

# describe_file PATH
describe_file() {
    place=${bin_dir%/*}/$1
    if [ -L "$place" ]; then
        target=$(readlink "$place" && echo .)
        encode "${target%"$newline".}"
        say "link $1 $encoded"
    elif [ -e "$place" ]; then
        say "foreign $1"
    fi
    folder=${place%/*}
    while [ ! -d "${folder:-/}" ]; do folder=${folder%/*}; done
    if [ ! -w "${folder:-/}" ] || [ ! -x "${folder:-/}" ]; then
        encode "${folder:-/}"
        say "closed $1 $encoded"
    fi
}

# describe_files_elsewhere TOOL TREE BIN_DIR: the links to the files of a tree that is linked into another bin_dir.
describe_files_elsewhere() {
    for path in $(cd "$2/files" 2>/dev/null && find . ! -type d | sed 's,^\./,,'); do
        if is_path "$path" && [ -L "${3%/*}/$path" ]; then
            target=$(readlink "${3%/*}/$path" && echo .)
            encode "${target%"$newline".}"
            say "link_elsewhere $1 $path $encoded"
        fi
    done
}
