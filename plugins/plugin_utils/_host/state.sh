# shellcheck shell=sh
# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What is installed below root, and is it what its listing says? Part of answer.sh, whose variables it uses. Only what
# chain.sh found to be trusted is read.
# shellcheck disable=SC2154

# are_own_files KILOBYTES FILE...: regular files of root's or of who runs, that nobody else may write, and no larger
# together. Their folder is trusted.
are_own_files() {
    most=$1
    shift
    count=$#
    for file in "$@"; do
        if [ ! -f "$file" ] || [ -L "$file" ] || [ ! -r "$file" ]; then return 1; fi
    done
    # Three words for each file.
    # shellcheck disable=SC2046
    set -- $(stat_of "%f %u %s" "%Xp %u %z" "$@")
    [ $# -eq $((count * 3)) ] || return 1
    sizes=
    while [ $# -gt 0 ]; do
        case "$1 $2" in
        8?[!13579bBdDfF][!2367abABefEF]" 0" | 8?[!13579bBdDfF][!2367abABefEF]" $user") ;;
        *) return 1 ;;
        esac
        sizes="$sizes $3"
        shift 3
    done
    # shellcheck disable=SC2086
    fits "$most" $sizes
}

# is_own_folder FOLDER
is_own_folder() {
    [ -d "$1" ] && [ ! -L "$1" ] || return 1
    case $(of_each "%f %u" "%Xp %u" " $1") in
    4?[!13579bBdDfF][!2367abABefEF]" 0" | 4?[!13579bBdDfF][!2367abABefEF]" $user") return 0 ;;
    esac
    return 1
}

# find_sha256: sets $sha256: the command that computes it, empty where there is none.
find_sha256() {
    sha256=
    for command in sha256sum 'shasum -a 256' 'sha256 -r' 'openssl dgst -r -sha256'; do
        if [ -z "$sha256" ] && command -v "${command%% *}" >/dev/null 2>&1; then sha256=$command; fi
    done
}

# describe_group: the number of the group that the trees shall have, and whether the owner is missing where that is not the
# owner's. Sets $ordered_gid. Of who is not root, whether they may give files to it, and whether they are the owner themselves.
describe_group() {
    ordered_gid=
    if [ -n "$group" ]; then
        ordered_gid=$(gid_of "$group")
        if [ -n "$owner" ] && [ -z "$(id_of -u "$owner")" ]; then say no_owner; fi
    elif [ -n "$owner" ]; then
        ordered_gid=$(id_of -g "$owner")
    else
        return
    fi
    say "gid ${ordered_gid:--}"
    if [ "$user" = 0 ]; then return; fi
    gives=no
    case " $(id -G) " in *" $ordered_gid "*) gives=yes ;; esac
    is_owner=yes
    if [ -n "$owner" ] && [ "$(id_of -u "$owner")" != "$user" ]; then is_owner=no; fi
    say "user $user $gives $is_owner"
}

describe_state() {
    find_sha256
    describe_group
    refuse_unreadable "$root" "$root/current" "$root/store" "$root"/store/*
    describe_active
    describe_barred
    for tree in $active; do refuse_unreadable "$root/store/$tree"; done
    # Names of tools and trees have nothing that a shell would expand.
    # shellcheck disable=SC2086
    if [ "$integrity" = quick ]; then now=$(fingerprint "$root" "$bin_dir" $active); fi
    # shellcheck disable=SC2046,SC2086
    if cd "$root/store" 2>/dev/null; then describe_trees $active $(kept_candidates); fi
    describe_links
    describe_linked_files
    describe_layouts
    describe_room root "$root" "$root/store" "$root/current" "$root/staging"
    describe_room bin_dir "$bin_dir"
    describe_rights
    if [ -n "$audit" ]; then describe_strangers; else describe_path; fi
}

# describe_path: whether bin_dir is on the PATH with which the question came, or is one of the system's usual folders.
describe_path() {
    case ":$given_path:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:" in
    *":$bin_dir:"*) ;;
    *) say off_path ;;
    esac
}

# refuse_unreadable FOLDER...: ends the answer at a folder that is there and that who runs may not look into, and at one above
# the first that hides it: what is in there would be told of as missing.
refuse_unreadable() {
    above=$1
    while [ ! -d "${above:-/}" ]; do above=${above%/*}; done
    if [ ! -x "${above:-/}" ]; then set -- "${above:-/}" "$@"; fi
    for folder in "$@"; do
        if [ ! -d "$folder" ] || { [ -r "$folder" ] && [ -x "$folder" ]; }; then continue; fi
        encode "$folder"
        say "unreadable $encoded"
        finish
    done
}

# describe_rights: the capabilities of who runs, of which one lets set those of files. Only Linux has some.
describe_rights() {
    if [ ! -r /proc/self/status ]; then return; fi
    while read -r word value; do
        if [ "$word" = CapEff: ]; then say "rights $value"; fi
    done </proc/self/status
}

# describe_room WORD FOLDER...: whether something can be made there, how much, whether it could be started, whether it could
# give rights by set-id bits and capabilities, and the kind of its file system. Of more folders, if they are there, only
# whether something can be made: the first where nothing can is told of.
describe_room() {
    word=$1
    folder=$2
    while [ ! -d "${folder:-/}" ]; do folder=${folder%/*}; done
    folder=${folder:-/}
    shift 2
    encode "$folder"
    is_writable=yes
    for place in "$folder" "$@"; do
        if [ ! -d "$place" ] || { [ -w "$place" ] && [ -x "$place" ]; }; then continue; fi
        encode "$place"
        is_writable=no
        break
    done
    # The last line: a long name of a file system has one of its own before.
    set -f
    # shellcheck disable=SC2046
    set -- "$word" $(df -Pk "$folder" 2>/dev/null | tail -n 1 | sed 's/.* \([0-9][0-9]*\)  *[0-9]*%  *\(.*\)$/\1 \2/')
    set +f
    starts=yes
    raises=yes
    kind=-
    if [ -r /proc/mounts ]; then
        while read -r _ place type flags _; do
            if [ "$place" != "${3:-/}" ]; then continue; fi
            case ,$flags, in *,noexec,*) starts=no ;; *) starts=yes ;; esac
            case ,$flags, in *,nosuid,*) raises=no ;; *) raises=yes ;; esac
            kind=$type
        done </proc/mounts
    fi
    case $2 in *[!0-9]*) set -- "$1" - ;; esac
    say "room $1 $encoded $is_writable ${2:--} $starts $raises $kind"
}

# id_of OPTION OWNER, who may be a number, which some id(1) do not take: that of busybox
id_of() {
    if id "$1" "$2" 2>/dev/null || [ ! -r /etc/passwd ]; then return; fi
    while IFS=: read -r _ _ uid gid _; do
        if [ "$uid" != "$2" ]; then continue; fi
        case $1 in -u) say "$uid" ;; *) say "$gid" ;; esac
        break
    done </etc/passwd
}

# gid_of GROUP, which may be a number
gid_of() {
    case $1 in
    *[!0-9]*) ;;
    *) say "$1" && return ;;
    esac
    { getent group "$1" 2>/dev/null || cat /etc/group; } | while IFS=: read -r name _ gid _; do
        if [ "$name" = "$1" ]; then say "$gid" && break; fi
    done
}

is_tree() { case $1 in '' | [!A-Za-z0-9]* | *[!A-Za-z0-9._+~!-]*) return 1 ;; esac; }

# describe_active: which tree of each tool is the active one, if it is one. Sets $active: those trees, each between spaces.
describe_active() {
    set --
    for link in "$root"/current/*; do
        if ! is_name "${link##*/}"; then continue; fi
        if [ -L "$link" ]; then set -- "$@" "${link##*/}"; elif [ -e "$link" ]; then say "astray ${link##*/}"; fi
        if [ -d "$link" ] && [ ! -L "$link" ]; then say "barred ${link##*/} switch - -"; fi
    done
    active=' '
    IFS=$newline
    # To read lines from a pipe takes a system call for each byte. The lines hold nothing that a shell would expand.
    # shellcheck disable=SC2046
    set -- $(links_of "$root/current" "$@")
    IFS=$usual_ifs
    for line in "$@"; do
        tool=${line%% *}
        tree=${line#"$tool ../store/$tool/"}
        if [ "$tree" = "$line" ] || ! is_tree "$tree"; then say "astray $tool" && continue; fi
        say "active $tool $tree"
        active="$active$tool/$tree "
    done
}

# describe_barred: tools whose folder in the store is none, or could be exchanged, and why. One process finds out that none is.
describe_barred() {
    cd "$root/store" 2>/dev/null || return
    suspects=$(find . ! -name . -prune ! \( -type d \( -user 0 -o -user "$user" \) ! -perm -020 ! -perm -002 \) 2>/dev/null)
    IFS=$newline
    set -f
    # shellcheck disable=SC2086
    set -- $suspects
    set +f
    IFS=$usual_ifs
    for place in "$@"; do
        if is_name "${place#./}"; then describe_suspect "${place#./}"; fi
    done
}

# describe_suspect TOOL. What it sets is for judge_ways of chain.sh.
# shellcheck disable=SC2034,SC2317,SC2329
describe_suspect() (
    tool=$1
    ways="=$root/store/$tool"
    untrusted() { say "barred $tool $1 $3 $4" && exit; }
    judge_ways
)

# links_of FOLDER NAME...: lines NAME TARGET of these links there; the target as encode writes it. In a shell of its own.
links_of() {
    cd "$1" 2>/dev/null || return
    shift
    if [ $# -eq 0 ]; then return; fi
    # Not by the whole path: ls of busybox writes what is not ASCII as question marks.
    for name in "$@"; do
        shift
        set -- "$@" "./$name"
    done
    # One process for all of them. Where a target has a line break, there are more lines than links, or an empty one.
    shown=$(ls -nd "$@" 2>/dev/null && say .)
    lines=0
    IFS=$newline
    set -f
    for line in $shown; do lines=$((lines + 1)); done
    case $shown in *"$newline$newline"*) lines=0 ;; esac
    if [ "$lines" -ne $(($# + 1)) ]; then
        for link in "$@"; do say_link "${link#./}"; done
        return
    fi
    for line in ${shown%"$newline".}; do
        link=${line#*" ./"}
        case ${link#* -> } in
        *[!A-Za-z0-9/._+,:=@~-]*) say_link "${link%% -> *}" ;;
        *) say "${link%% -> *} ${link#* -> }" ;;
        esac
    done
}

say_link() {
    target=$(readlink "./$1" && echo .)
    encode "${target%"$newline".}"
    say "$1 $encoded"
}

# kept_candidates: TOOL/TREE of each kept tree that would serve; all of them in an audit of every byte.
kept_candidates() {
    if [ "$audit$integrity" = yesfull ]; then
        for kept in */*; do
            if ! is_name "${kept%%/*}" || ! is_tree "${kept#*/}" || [ ! -d "$kept" ]; then continue; fi
            case "$active " in *" $kept "*) ;; *) say "$kept" ;; esac
        done
        return
    fi
    say "$candidates" | while IFS= read -r candidate; do
        for kept in "$root/store/$candidate"-*; do
            tree=${candidate%%/*}/${kept##*/}
            if ! is_name "${tree%%/*}" || ! is_tree "${tree#*/}"; then continue; fi
            case "$active " in *" $tree "*) ;; *) say "$tree" ;; esac
        done
    done
}

# describe_trees TOOL/TREE...: those, in the store, and which others are there.
describe_trees() {
    list_trees
    find_owned "$@"
    for tree in "$@"; do
        shift
        if is_owned "${tree%%/*}/" && is_owned "$tree/"; then set -- "$@" "$tree"; fi
    done
    if [ $# -eq 0 ]; then return; fi
    describe_receipts "$@"
    describe_programs "$@"
    for tree in "$@"; do
        shift
        if is_as_sealed "$tree"; then say "verified ${tree%%/*} ${tree#*/} seal -"; else set -- "$@" "$tree"; fi
    done
    if [ $# -gt 0 ] && [ -n "$sha256" ]; then compare "$@"; fi
}

# list_trees: all, the newest first: what is kept longest.
list_trees() {
    # shellcheck disable=SC2012
    ls -1td -- */* 2>/dev/null | while IFS= read -r tree; do
        if is_name "${tree%%/*}" && is_tree "${tree#*/}"; then say "tree ${tree%%/*} ${tree#*/}"; fi
    done
}

# find_owned TOOL/TREE...: sets $owned: lines of the folders (with a slash at the end) and receipts (with their sizes) that
# are root's or of who runs, and that nobody else may write.
find_owned() {
    for tree in "$@"; do
        shift
        set -- "$@" " ${tree%%/*}" " $tree" " $tree/receipt.json"
    done
    owned=$newline
    IFS=$newline
    set -f
    # shellcheck disable=SC2046
    set -- $(of_each "%f %u %s %n" "%Xp %u %z %N" "$@")
    set +f
    IFS=$usual_ifs
    for line in "$@"; do
        place=${line#* * * }
        size=${line#* * }
        case $line in
        4?[!13579bBdDfF][!2367abABefEF]" 0 "* | 4?[!13579bBdDfF][!2367abABefEF]" $user "*) owned=$owned$place/$newline ;;
        8?[!13579bBdDfF][!2367abABefEF]" 0 "* | 8?[!13579bBdDfF][!2367abABefEF]" $user "*) owned=$owned$place=${size%% *}$newline ;;
        esac
    done
}

# is_owned LINE
is_owned() { case $owned in *"$newline$1$newline"*) ;; *) return 1 ;; esac; }

# describe_receipts TOOL/TREE...: the size of each receipt, then the bytes of all of them.
describe_receipts() {
    for tree in "$@"; do
        case $owned in *"$newline$tree/receipt.json="*) ;; *) say "receipt ${tree%%/*} ${tree#*/} -" ;; esac
    done
    described=" $* "
    IFS=$newline
    set -f
    # shellcheck disable=SC2086
    set -- $owned
    set +f
    IFS=$usual_ifs
    receipts=
    for line in "$@"; do
        tree=${line%/receipt.json=*}
        size=${line#*=}
        case $described in *" $tree "*) ;; *) continue ;; esac
        case $size in '' | *[!0-9]* | ??????*) size=- ;; *) receipts="$receipts $tree/receipt.json" ;; esac
        say "receipt ${tree%%/*} ${tree#*/} $size"
    done
    # Names of tools and trees have nothing that a shell would expand.
    # shellcheck disable=SC2086
    set -- $receipts
    if [ $# -eq 0 ]; then return; fi
    say "receipts $(cat "$@" | od -An -v -tx1 | tr -d ' \n')"
    describe_links_elsewhere "$@"
}

# describe_links_elsewhere RECEIPT...: where receipts of active tools name other folders than this question's bin_dir.
describe_links_elsewhere() {
    if ! folders_in "$@" | grep -qvxF -e "$bin_dir"; then return; fi
    for receipt in "$@"; do
        other=$(folders_in "$receipt")
        tree=${receipt%/receipt.json}
        case "$active " in *" $tree "*) ;; *) continue ;; esac
        if [ -z "$other" ] || [ "$other" = "$bin_dir" ]; then continue; fi
        encode "$other"
        say "elsewhere ${tree%%/*} $encoded"
        describe_files_elsewhere "${tree%%/*}" "$tree" "$other"
        if ! is_own_folder "$other"; then continue; fi
        links_in "$other" "$tree"
        copies_elsewhere "${tree%%/*}" "$other"
    done
}

folders_in() { sed -n 's,.*"bin_dir": "\(/[^"\\]*\)".*,\1,p' "$@"; }

# links_in FOLDER TOOL/TREE: the links there to programs of a tree.
links_in() {
    elsewhere=$1
    tree=$2
    set --
    for program in "$tree"/bin/*; do
        if is_name "${program##*/}" && [ -L "$elsewhere/${program##*/}" ]; then set -- "$@" "${program##*/}"; fi
    done
    links_of "$elsewhere" "$@" | sed "s,^,link_elsewhere ${tree%%/*} ,"
}

# describe_programs TOOL/TREE...: mode, owner and group of what the links in their bin folders lead to.
describe_programs() {
    for tree in "$@"; do
        shift
        for program in "$tree"/bin/*; do
            if is_name "${program##*/}" && [ -L "$program" ] && [ -f "$program" ]; then set -- "$@" "$program"; fi
        done
    done
    if [ $# -eq 0 ]; then return; fi
    case $stat_option in -c) stat -L -c "%f %u %g %n" "$@" ;; *) stat -L -f "%Xp %u %g %N" "$@" ;; esac |
        sed -n 's,^\([0-9A-Fa-f]*\) \([0-9]*\) \([0-9]*\) \([^/]*\)/\([^/]*\)/bin/\(.*\),program \4 \5 \6 \1 \2 \3,p'
}

# is_as_sealed TOOL/TREE: an active one
is_as_sealed() {
    case "$integrity $active " in "quick "*" $1 "*) ;; *) return 1 ;; esac
    are_own_files "$largest" "$root/seals/${1%%/*}" || return 1
    looks=$(say "$now" | grep -e "^${1%%/*} " -e "^\.\./store/$1[ /]" -e "^\.\./modulefiles/${1%%/*}[ /]" \
        -e "^\.\./tool_cache/${1%%/*}/") || return 1
    [ "$(cat "$root/seals/${1%%/*}")" = "$looks" ]
}

describe_links() {
    placed=$(copies_in "$bin_dir")
    if [ -n "$placed" ]; then say "$placed" | sed -n 's/^\([^ ]*\) \(.*\)/placed \2 \1/p'; fi
    # Names have nothing that a shell would expand.
    # shellcheck disable=SC2046
    set -- $(names_in_bin_dir)
    for name in "$@"; do
        shift
        if [ -L "$bin_dir/$name" ]; then set -- "$@" "$name" && continue; fi
        if [ ! -e "$bin_dir/$name" ]; then continue; fi
        case $([ ! -f "$bin_dir/$name" ] || say "$placed")$newline in
        *" $name$newline"*) describe_copy copy "$bin_dir" "$name" ;;
        *) say "foreign $name" ;;
        esac
    done
    links_of "$bin_dir" "$@" | sed 's/^/link /'
}

# names_in_bin_dir: those that are wanted, those of programs in the store, and those of links that look like ours, whose
# tool was deleted by hand: no more of them than anybody honest has.
names_in_bin_dir() {
    said=$newline
    for program in "$root"/store/*/*/bin/*; do say_new "${program##*/}"; done
    set -f
    # shellcheck disable=SC2086
    say_new $names
    # shellcheck disable=SC2046
    if [ -n "$placed" ]; then say_new $(say "$placed" | sed 's/.* //'); fi
    # One process, where a loop would take one for each link of the system.
    # shellcheck disable=SC2012,SC2046
    say_new $(ls -l "$bin_dir" 2>/dev/null | sed -n '/ -> .*current\/[^/]*\/bin\//{s/ -> .*//;s/.* //p;}' | head -n 2000)
}

# say_new WORD...: those that are names, and that it has not said before.
say_new() {
    for name in "$@"; do
        case $said in *"$newline$name$newline"*) continue ;; esac
        if ! is_name "$name"; then continue; fi
        said=$said$name$newline
        say "$name"
    done
}
