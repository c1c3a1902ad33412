# shellcheck shell=sh
# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Is what lies in a tree what its listing says (module_utils/tree_listing.py)? Part of answer.sh, whose variables it uses.
# All trees are looked at together: it is the programs started that cost time. What was found is told in lines that begin
# with o, what the listings say in lines that begin with e; then come TOOL/TREE/listing: and a line as of a listing.
# shellcheck disable=SC2154

# compare TOOL/TREE...: what is there, in the store, with what the listings say should be there.
compare() {
    find_plausible "$@"
    # Names of tools and trees have nothing that a shell would expand.
    # shellcheck disable=SC2086
    set -- $plausible
    if [ $# -eq 0 ]; then return; fi
    find_readers
    tab=$(printf '\t')
    digests=$(digests_of_listings "$@")
    unlike=$({ listed "$@" | sed 's/^/e /' && observed "$@" && say "o ~"; } | sort -k 2 | unpaired)
    # The last line is there only if everything was read.
    case "$newline$unlike" in *"${newline}o ~") ;; *) return ;; esac
    # Nobody knows whose a line is that only goes on with a name.
    if say "$unlike" | grep -qv -e /listing: -e '^o ~$'; then
        for tree in "$@"; do unlike="$unlike${newline}o $tree/listing:./a name of several lines"; done
    fi
    say "$digests" | while read -r digest listing; do tell_differences "${listing%/listing}" "$digest"; done
}

# find_plausible TOOL/TREE...: sets $plausible: those whose files are not too large to be read, and whose listing is a
# file of ours. Tells of the others.
find_plausible() {
    plausible=
    # shellcheck disable=SC2046
    if fits "$largest" $(sizes_of "$@") && are_own_listings "$@"; then plausible=$* && return; fi
    for tree in "$@"; do
        # shellcheck disable=SC2046
        if ! fits "$largest" $(sizes_of "$tree"); then
            say "verified ${tree%%/*} ${tree#*/} size -"
        elif ! are_own_listings "$tree"; then
            say "verified ${tree%%/*} ${tree#*/} hash -"
        else
            plausible="$plausible $tree"
        fi
    done
}

sizes_of() {
    case $stat_option in
    -c) find "$@" -type f -exec stat -c %s {} + ;;
    *) find "$@" -type f -exec stat -f %z {} + ;;
    esac 2>/dev/null
}

are_own_listings() {
    for tree in "$@"; do
        shift
        set -- "$@" "$tree/listing"
    done
    are_own_files "$largest" "$@"
}

# digests_of_listings TOOL/TREE...: lines DIGEST TOOL/TREE/listing
digests_of_listings() {
    for tree in "$@"; do
        shift
        set -- "$@" "$tree/listing"
    done
    $sha256 "$@" | sed 's/^\\*\([0-9a-f]*\)[ *]*/\1 /'
}

# listed TOOL/TREE...: what the listings say.
listed() {
    for tree in "$@"; do
        shift
        set -- "$@" "$tree/listing"
    done
    # With one file alone, grep would not tell its name.
    grep '' "$@" /dev/null
}

# observed TOOL/TREE...: the trees in the lines of their listings. What is of somebody else, or has rights that a listing
# cannot say, has lines that no listing has.
observed() {
    find "$@" \( -name libexec -o -name bin -o -name tree -o -name files \) -prune -o ! -name listing ! \( -name receipt.json -type f \) -print 2>/dev/null |
        sed -n 's,^\([^/]*/[^/]*\)/,o \1/listing:./,p'
    # What lies beside these parts is in no listing, and has one mode.
    find "$@" \( -name libexec -o -name bin -o -name tree -o -name files \) -prune -o \( -name listing -o -name receipt.json \) -type f ! -perm 644 -print 2>/dev/null |
        while IFS= read -r file; do
            case $file in */*/*/*) continue ;; esac
            say "e ${file%/*}/listing:81a4 ${file##*/}"
            say "o ${file%/*}/listing:$(stat_of "%f" "%Xp" "$file") ${file##*/}"
        done
    # Where the text of a link has a line break, ls has more lines than there are links.
    if [ "$(find "$@" -type l -exec ls -nd {} + 2>/dev/null | grep -c '')" != "$(inodes_of_links "$@" | grep -c '')" ]; then
        for tree in "$@"; do say "o $tree/listing:./a link of several lines"; done
    fi
    for tree in "$@"; do
        shift
        set -- "$@" "$tree/libexec" "$tree/bin" "$tree/tree" "$tree/files"
    done
    # A name with a backslash is marked by one at the beginning of its line.
    # shellcheck disable=SC2086
    find "$@" -type f -exec $sha256 {} + 2>/dev/null | sed 's,^\\*\([0-9a-f]*\)[ *]*\([^/]*/[^/]*\)/,o \2/listing:\1  ,'
    case $stat_option in
    -c) find "$@" -exec stat -c "%f %u %g %n" {} + ;;
    *) find "$@" -exec stat -f "%Xp %u %g %N" {} + ;;
    esac 2>/dev/null | sed -e 's/^[aA][0-9A-Fa-f]* /a1ff /' \
        -e "s/^\([0-9A-Fa-f]*\) $user /\1 - /" -e 's/^\([0-9A-Fa-f]*\) 0 /\1 - /' \
        -e "s/^\([0-9A-Fa-f]*\) - ${ordered_gid:-[0-9]*} /\1 /" \
        -e 's,^\([^/]* \)\([^ /]*/[^/]*\)/,o \2/listing:\1,'
    # Links: what ls writes before the path has no slash.
    find "$@" -exec ls -nd {} + 2>/dev/null |
        sed -n -e '/^l.*?/d' -e '/^l/{s,^[^/]* \([^/]*/[^/]*\)/,o \1/listing:,p;d;}' \
            -e '/^..........+/s,^[^/]* \([^/]*/[^/]*\)/,o \1/listing:acl ,p'
    questionable_links "$@"
    access_lists "$@" | sed -n 's,^\([^/]*/[^/]*\)/,o \1/listing:acl ,p'
    find "$@" -type f -links +1 2>/dev/null | sed -n 's,^\([^/]*/[^/]*\)/,o \1/listing:names ,p'
    capabilities "$@" | sed -n 's,^\([^/]*/[^/]*\)/,o \1/listing:capability ,p'
    # Nothing of the above succeeds or fails as a whole: what it does not say is told as missing.
    true
}

# questionable_links PLACE...: those in whose line ls has a question mark, which that of busybox writes for what is not ASCII.
# No text of one can pass for another line: what has a line break is told as what no listing has.
questionable_links() {
    case $(find "$@" -type l -exec ls -nd {} + 2>/dev/null) in *\?*) ;; *) return ;; esac
    find "$@" -type l 2>/dev/null | while IFS= read -r link; do
        shown=$(ls -nd "$link" 2>/dev/null)
        case $shown in *\?*) ;; *) continue ;; esac
        text=$(readlink "$link" && echo .)
        text=${text%"$newline".}
        case $text in *"$newline"*) text="a link of several lines" ;; esac
        say "$link -> $text" | sed 's,^\([^/]*/[^/]*\)/,o \1/listing:,'
    done
}

inodes_of_links() {
    case $stat_option in
    -c) find "$@" -type l -exec stat -c %i {} + ;;
    *) find "$@" -type l -exec stat -f %i {} + ;;
    esac 2>/dev/null
}

# unpaired: of sorted lines, those that are not there exactly once as found and once as listed. What is there twice ends
# with a tab, which nothing in a listing does.
unpaired() {
    uniq -c | sed -e 's/^ *1 //' -e t -e "s/^ *[0-9]* \(.*\)/\1$tab/" | uniq -u -f 1
}

# find_readers: sets $rights and $lists: what reads the capabilities of files, and their access control lists. Only Linux has
# capabilities. Where there are lists, ls tells of them, but not those of busybox and toybox.
find_readers() {
    rights=
    lists="ls"
    # As in tells_lists, which is not asked everywhere.
    # shellcheck disable=SC2034
    masked=q
    if command -v getcap >/dev/null 2>&1; then
        rights=getcap
    else
        case $(uname -s) in
        Linux) ;;
        # Where a file has extended attributes, ls has one mark for them there, whether it has a list or not.
        Darwin) lists="ls -e" && return ;;
        *) return ;;
        esac
    fi
    if ! tells_lists; then
        lists=
        if command -v getfacl >/dev/null 2>&1; then lists=getfacl; fi
    fi
    if [ -n "$rights" ] && [ -n "$lists" ]; then return; fi
    for reader in /usr/bin/python3 /usr/libexec/platform-python /usr/local/bin/python3; do
        if [ -x "$reader" ] && is_trusted "$reader"; then
            rights=${rights:-$reader}
            lists=${lists:-$reader}
            return
        fi
    done
    if [ -z "$rights" ]; then say "unseen capabilities"; fi
    if [ -z "$lists" ]; then say "unseen lists"; fi
}

# access_lists PLACE...: what has some and is no link, a line each; nothing where ls tells.
access_lists() {
    case $lists in
    '' | ls) ;;
    # Under a file's own line stands each entry of its list.
    'ls -e') find "$@" ! -type l -exec ls -lnde {} + | sed -n -e '/^ 0: /{g;s,^[^/]* ,,p;}' -e '/^ [0-9][0-9]*: /!h' ;;
    getfacl) getfacl -R -s -p -P -n "$@" | sed -n 's/^# file: //p' ;;
    *) find "$@" ! -type l -exec "$lists" -I -S -c 'import os, sys
names = {"system.posix_acl_access", "system.posix_acl_default"}
[print(path) for path in sys.argv[1:] if names & set(os.listxattr(path))]' {} + ;;
    esac 2>/dev/null
}

# capabilities FOLDER...: a line for each file that has some: which ones, in words, or in hexadecimal digits after 0x.
capabilities() {
    case $rights in
    '') ;;
    getcap) getcap -r "$@" ;;
    *) find "$@" -type f -exec "$rights" -I -S -c 'import os, sys
[print(path + " 0x" + os.getxattr(path, "security.capability").hex()) for path in sys.argv[1:]
if "security.capability" in os.listxattr(path)]' {} + ;;
    esac 2>/dev/null
}

# tell_differences TOOL/TREE DIGEST
tell_differences() {
    say "verified ${1%%/*} ${1#*/} hash $2"
    case "$unlike" in *" $1/listing:"*) ;; *) return ;; esac
    differences=$(say "$unlike" | grep -F -e " $1/listing:" | sed -e 's,^o [^:]*:,,' -e "s,^e [^:]*:,$tab,")
    differences=$(without_ordered_modes "$1")
    if [ -n "$differences" ]; then
        say "differs ${1%%/*} ${1#*/} $(say "$differences" | od -An -v -tx1 -N 16384 | tr -d ' \n')"
    fi
}

# without_ordered_modes TOOL/TREE: the differences without those that modes of programs make which somebody may have
# ordered. They are told by describe_programs.
without_ordered_modes() {
    expected=
    for program in "$1"/bin/*; do
        if [ ! -L "$program" ] || [ ! -f "$program" ]; then continue; fi
        file=$(readlink "$program")
        mode=$(of_each "%f" "%Xp" " ${program%/*}/$file")
        case $mode in 8[01][02468aAcCeE][014589cCdD]) ;; *) continue ;; esac
        # Of one that belongs to somebody else, the line of its mode says that, too.
        case $newline$differences$newline in *"$newline$mode ${file#../}$newline"*) ;; *) continue ;; esac
        expected="$expected$newline$mode ${file#../}$newline$tab""81ed ${file#../}"
    done
    if [ -z "$expected" ]; then say "$differences" && return; fi
    say "$differences" | grep -vxF -e "${expected#"$newline"}"
}
