# shellcheck shell=sh
# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Is all as sealed, down to each byte? Part of answer.sh, whose variables it uses. What takes contents.sh a program for each
# kind of difference takes two walks here, as nobody has to be told which one it is: where anything differs, or cannot be
# told apart from what does, nothing is said, and all is told as of a host that has no seal.
# shellcheck disable=SC2154

# describe_compared: what the controller holds against the lock file, of a host that is as sealed. Which assets are for this
# machine, the seal tells, so the machine is not described, nor what only a run that changes something needs.
describe_compared() {
    if [ -z "$trees" ] || [ -n "$audit" ] || [ -s "$root/copies" ]; then return 1; fi
    for place in "$root/modulefiles" "$root/tool_cache"; do
        if [ -e "$place" ] || [ -L "$place" ]; then return 1; fi
    done
    for tree in $trees; do
        is_name "${tree%%/*}" && is_tree "${tree#*/}" || return 1
    done
    find_sha256
    if [ -z "$sha256" ] || ! cd "$root/store" 2>/dev/null || keeps_candidates; then return 1; fi
    describe_group
    # A group that is not there has no number.
    if [ -n "$group$owner" ] && [ -z "$ordered_gid" ]; then return 1; fi
    find_readers
    # Names of tools and trees have nothing that a shell would expand.
    # shellcheck disable=SC2086
    are_as_listed $trees || return 1
    say "$kept"
    # shellcheck disable=SC2086
    describe_found $trees
    describe_linked_files
    say compared
}

# keeps_candidates: whether there are other trees that would serve. Sets $kept: lines of all trees that are there, in any
# order: whether there are more of them than shall be kept.
keeps_candidates() {
    kept=
    for tree in */*; do
        if ! is_name "${tree%%/*}" || ! is_tree "${tree#*/}"; then continue; fi
        kept="$kept${kept:+$newline}tree ${tree%%/*} ${tree#*/}"
        case "$trees " in *" $tree "*) continue ;; esac
        case $newline$candidates$newline in *"$newline${tree%-*}$newline"*) return 0 ;; esac
    done
    return 1
}

# are_as_listed TOOL/TREE...: whether all that is there makes the very lines of the listings, and these lines only. Sets $hashes.
are_as_listed() {
    # Of the folders of tools themselves, ls tells as well: not whether a link leads there. A listing is read.
    for tree in "$@"; do
        if [ -L "${tree%%/*}" ] || [ -L "$tree/listing" ]; then return 1; fi
        set -- "$@" "${tree%%/*}/."
    done
    looks=$(find "$@" \( -name . -prune -o ! -name . \) -exec ls -nd {} + 2>/dev/null | by_looks)
    are_sizes_and_links_plain || return 1
    # In libexec are all files that a listing may have.
    set --
    for tree in $trees; do set -- "$@" "$tree/libexec" "$tree/listing"; done
    # shellcheck disable=SC2086
    case $rights in
    getcap) hashes=$(find "$@" -type f -exec getcap {} + -exec $sha256 {} + 2>/dev/null) ;;
    *) hashes=$(capabilities "$@" && find "$@" -type f -exec $sha256 {} + 2>/dev/null) ;;
    esac
    # shellcheck disable=SC2086
    set -- $trees
    expected=$({ listed "$@" && say '~'; } | sort)
    # The last line is there only if everything was read.
    case $expected in *"$newline~") ;; *) return 1 ;; esac
    [ "$({ seen "$@" && say '~'; } | sort)" = "$expected" ]
}

# by_looks: what ls says of each place, in the lines of listings, each with TOOL/TREE/listing: before it. What is no line of
# ls, or tells of somebody else, is marked with a question mark. Lines with ~ tell sizes: of each file that is not small, and
# of each link, with its text. What follows a line break in a name has a slash only where an arrow comes first, in the text
# of a link; and of two arrows, nobody knows which one ends the name.
by_looks() {
    count='  *[0-9][0-9]*'
    top='[^/ ]*\/[^/ ]*'
    # What ls writes before a path has no slash, and its second one is that before what a listing says.
    sed -e '/^[-dl][^/>]*\//!b strange' -e '/->.*->/b strange' -e "/^.........[x-][.@]*$count  *0$count$count /b ours" \
        -e "/^.........[x-][.@]*$count  *$user$count$count /b ours" -e ':strange' -e 's/^/? /' -e b -e ':ours' \
        -e "/^-[^ ]*$count$count$count  *[0-9]\{4,\} /{h;s/^-[^ ]*$count$count$count  *\([0-9]*\) .*/~ \1/p;g;}" \
        -e "/^drwxr-xr-x[^/]* $top\$/d" -e "/^-rw-r--r--[^/]* $top\/listing\$/d" -e "/^-rw-r--r--[^/]* $top\/receipt\.json\$/d" \
        -e "/^[^ ]*$count$count  *${ordered_gid:-[0-9][0-9]*}$count /!s/^/? /" \
        -e "/^l/{h;s/^l[^ ]*$count$count$count  *\([0-9]*\) .* -> /~ \1 /p;g" \
        -e 's,^[^/]* ,,;s,/,/listing:,2p;s, -> .*,,;s,:,:a1ff ,;}' \
        -e '/^drwxr-xr-x/{s,^[^/]* ,,;s,/,/listing:41ed ,2;}' -e '/^-rwxr-xr-x/{s,^[^/]* ,,;s,/,/listing:81ed ,2;}' \
        -e '/^-rw-r--r--/{s,^[^/]* ,,;s,/,/listing:81a4 ,2;}'
}

# are_sizes_and_links_plain: whether the files are not too large to be read, and whether the text of each link is as long as
# ls shows it: with a line break in it, it could pass for more than one entry. Nothing may be marked, or masked by ls.
are_sizes_and_links_plain() {
    case $looks in *\?*) return 1 ;; esac
    IFS=$newline
    set -f
    # shellcheck disable=SC2086
    set -- $looks
    set +f
    IFS=$usual_ifs
    left=$largest
    for line in "$@"; do
        case $line in
        '~ '*' '*)
            line=${line#'~ '}
            text=${line#* }
            [ "${#text}" = "${line%% *}" ] || return 1
            ;;
        '~ '*) fits "$left" "${line#'~ '}" || return 1 ;;
        esac
    done
}

# seen TOOL/TREE...: the trees in the lines of their listings. What is no such line is marked with a question mark, so that
# no text of a name or a link is taken for one.
seen() {
    tree='[^/ ]*/[^/ ]*'
    # A name with a backslash is marked by one at the beginning of its line.
    { say "$looks" && access_lists "$@" && say "$hashes"; } | sed -e '/^~/d' -e "\\,^$tree/listing:,b" \
        -e "\\,^[0-9a-f]* [ *]*$tree/listing\$,d" -e "s,^\\\\*\([0-9a-f]*\) [ *]*\($tree\)/,\2/listing:\1  ," -e t -e 's/^/? /'
}

# describe_found TOOL/TREE...: the digest of each listing, each receipt in the one line that it is, which trees are active, and
# what the links in bin_dir say that look like ours.
describe_found() {
    for tree in "$@"; do
        shift
        set -- "$@" "$tree/receipt.json"
    done
    links=$(cd "$root/current" && exec ls "-n$masked" . "$bin_dir" 2>/dev/null)
    # What ls masks is asked for link by link. Of very many links, some are told.
    if [ ${#links} -gt 1000000 ]; then links=; fi
    case $links in '' | *\?*) links= && describe_active && describe_links ;; esac
    numbers='[^ ]*  *[0-9][0-9]*  *[0-9][0-9]*  *[0-9][0-9]*  *[0-9][0-9]*'
    # Names of links begin behind a date, of which toybox has a form of its own.
    { say "$hashes" && grep '' "$@" /dev/null && say "$links"; } | sed -n \
        -e '/^[0-9a-f]* /{s,^\([0-9a-f]*\) [ *]*\([^/ ]*\)/\([^/ ]*\)/listing$,verified \2 \3 hash \1,p;d;}' \
        -e 's,^\([^/ ]*\)/\([^/ ]*\)/receipt\.json:,shown \1 \2 ,p' -e t \
        -e "s,^l$numbers [A-Z][a-z][a-z]  *[0-9][0-9]*  *[0-9][0-9:]* ,> ," -e "s,^l$numbers [0-9][0-9-]* [0-9:]* ,> ," \
        -e 't link' -e ':link' -e '/^\.:$/,/^$/{/^\.:$/d;/^total /d;/^$/d' \
        -e 's,^> \([^ /]*\) -> \.\./store/\1/\([^ /]*\)$,active \1 \2,p;t' -e 's, -> .*,,;s,.* ,astray ,p;d' -e '}' \
        -e 's,^> \([^ /]*\) -> \(.*current/[^/]*/bin/.*\),link \1 \2,p'
}
