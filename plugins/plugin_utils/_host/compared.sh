# shellcheck shell=sh
# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Is all as sealed, down to each byte? Part of answer.sh, whose variables it uses. What takes contents.sh a program for each
# kind of difference takes three walks here, as nobody has to be told which one it is: where anything differs, or cannot be
# told apart from what does, nothing is said, and all is asked and told as of a host that has no seal.
# shellcheck disable=SC2154

# describe_compared: what the controller holds against the lock file, of a host that is as sealed. Which assets are for this
# machine, the seal tells, so the machine is not described, nor what only a run that changes something needs.
describe_compared() {
    if [ -z "$trees" ] || [ -n "$audit" ] || [ -s "$root/copies" ]; then return 1; fi
    if [ -e "$root/modulefiles" ] || [ -e "$root/tool_cache" ]; then return 1; fi
    set -f
    # shellcheck disable=SC2086
    set -- $trees
    set +f
    for tree in "$@"; do
        is_name "${tree%%/*}" && is_tree "${tree#*/}" || return 1
    done
    # kept_candidates asks which these are.
    # shellcheck disable=SC2034
    active=" $* "
    find_sha256
    if [ -z "$sha256" ] || [ -n "$(kept_candidates)" ] || ! cd "$root/store" 2>/dev/null; then return 1; fi
    told=$(describe_group)
    ordered_gid=${told#gid }
    # A group that is not there has no number.
    if [ "$ordered_gid" = - ]; then return 1; fi
    find_readers
    are_as_listed "$@" || return 1
    if [ -n "$told" ]; then say "$told"; fi
    describe_active
    # In any order: whether there are more of them than shall be kept.
    for tree in */*; do
        if is_name "${tree%%/*}" && is_tree "${tree#*/}"; then say "tree ${tree%%/*} ${tree#*/}"; fi
    done
    say "$hashes" | sed -n 's,^\([0-9a-f]*\) [ *]*\([^/ ]*\)/\([^/ ]*\)/listing$,verified \2 \3 hash \1,p'
    show_receipts "$@"
    describe_links
    describe_linked_files
    say compared
}

# are_as_listed TOOL/TREE...: whether all that is there makes the very lines of the listings, and these lines only. Sets $hashes.
are_as_listed() {
    for tree in "$@"; do set -- "$@" "${tree%%/*}/."; done
    # Of the folders of tools themselves, this tells as well.
    looks=$(find "$@" \( -name . -prune -o ! -name . \) -exec ls -nd {} + 2>/dev/null)
    are_sizes_and_links_plain || return 1
    # shellcheck disable=SC2086
    set -- $trees
    for tree in "$@"; do
        set -- "$@" "$tree/libexec" "$tree/bin" "$tree/tree" "$tree/files" "$tree/listing"
        shift
    done
    # shellcheck disable=SC2086
    hashes=$(find "$@" -type f -exec $sha256 {} + 2>/dev/null)
    # shellcheck disable=SC2086
    set -- $trees
    [ "$(seen "$@" | sort)" = "$(listed "$@" | sort)" ]
}

# are_sizes_and_links_plain: whether the files are not too large to be read, and whether the text of each link is as long as
# ls shows it: with a line break in it, it could pass for more than one entry.
are_sizes_and_links_plain() {
    numbers='[^ ]*  *[0-9][0-9]*  *[0-9][0-9]*  *[0-9][0-9]*  *\([0-9][0-9]*\)'
    IFS=$newline
    set -f
    # shellcheck disable=SC2046
    set -- $(say "$looks" | sed -n -e "s/^-$numbers .*/\1/p" -e "s/^l$numbers .* -> \(.*\)/\1 \2/p")
    set +f
    IFS=$usual_ifs
    sizes=
    for line in "$@"; do
        case $line in
        *' '*)
            text=${line#* }
            [ "${#text}" = "${line%% *}" ] || return 1
            ;;
        *) sizes="$sizes $line" ;;
        esac
    done
    # shellcheck disable=SC2086
    fits "$largest" $sizes
}

# seen TOOL/TREE...: the trees in the lines of their listings, each with TOOL/TREE/listing: before it. What is no such line is
# marked with a question mark, so that no text of a name or a link is taken for one.
seen() {
    ours="s,^\(.........[x-]\)[.@]*  *[0-9][0-9]*  *"
    rest="  *\([0-9][0-9]*\)  *[0-9][0-9]* [^/]* \([^/ ]*/[^/ ]*\),\1 \2 \3,"
    tree='\([^/ ]*/[^/ ]*\)'
    entry="${ordered_gid:-[0-9]*} $tree"
    say "$looks" | sed -e "${ours}0$rest" -e "$ours$user$rest" -e 't ours' -e 's/^/? /' -e b -e ':ours' \
        -e "\\,^drwxr-xr-x [0-9]* $tree\$,d" -e "\\,^-rw-r--r-- [0-9]* $tree/listing\$,d" \
        -e "\\,^-rw-r--r-- [0-9]* $tree/receipt.json\$,d" -e "s,^drwxr-xr-x $entry/,\1/listing:41ed ," -e t \
        -e "s,^-rwxr-xr-x $entry/,\1/listing:81ed ," -e t -e "s,^-rw-r--r-- $entry/,\1/listing:81a4 ," -e t \
        -e "s,^l......... $entry/\(.*\) -> \(.*\),\1/listing:a1ff \2\\$newline\1/listing:\2 -> \3," -e t -e 's/^/? /'
    access_lists "$@"
    capabilities "$@"
    # A name with a backslash is marked by one at the beginning of its line.
    say "$hashes" | sed -e "\\,^[0-9a-f]* [ *]*$tree/listing\$,d" \
        -e "s,^\\\\*\([0-9a-f]*\) [ *]*$tree/,\2/listing:\1  ," -e t -e 's/^/? /'
}

# show_receipts TOOL/TREE...: each in the one line that it is.
show_receipts() {
    for tree in "$@"; do
        shift
        set -- "$@" "$tree/receipt.json"
    done
    grep '' "$@" /dev/null | sed 's,^\([^/]*\)/\([^/]*\)/receipt.json:,shown \1 \2 ,'
}
