# shellcheck shell=sh
# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The one question to a host: is all as sealed? If not: what are you, and what is installed? Any POSIX sh; writes nothing.
# The host only hands over evidence, machine.py decides what it means. Set before this text, by probe.py:
#   fingerprint   function made of fingerprint.sh
#   ask           state, or host: only what machine this is
#   root bin_dir  where to look; empty means this user's defaults
#   wanted        digest of the state asked for
#   integrity     quick, or full: hash every file
#   candidates    lines TOOL/VERSION: trees of these would serve, if they are kept here
#   names         lines: programs that are to be linked
#   needs         lines: libraries, LIBRARY:SYMBOL_VERSION, paths of interpreters and libraries, bin/PROGRAM
# They are set outside of this text, and a ~ that they begin with is expanded here:
# shellcheck disable=SC2154,SC2088
export LC_ALL=C TZ=UTC0 PATH=/usr/bin:/bin:/usr/sbin:/sbin:/run/current-system/sw/bin:/run/current-system/profile/bin:/system/bin
say() { printf '%s\n' "$*"; }
newline='
'

locate() {
    user=
    if [ -z "$root" ] || [ -z "$bin_dir" ]; then user=$(id -u); fi
    if [ -z "$HOME" ]; then eval "HOME=~$(id -un)"; fi
    if [ -z "$root" ]; then
        # The XDG specification says that a relative path is to be ignored.
        case $XDG_DATA_HOME in /*) data=$XDG_DATA_HOME ;; *) data=$HOME/.local/share ;; esac
        if [ "$user" = 0 ]; then root=/opt/pinned.release; else root=$data/pinned.release; fi
    fi
    if [ -z "$bin_dir" ]; then
        if [ "$user" = 0 ]; then bin_dir=/usr/local/bin; else bin_dir=$HOME/.local/bin; fi
    fi
    case $root in '~' | '~/'*) root=$HOME${root#'~'} ;; esac
    case $bin_dir in '~' | '~/'*) bin_dir=$HOME${bin_dir#'~'} ;; esac
}

is_sealed() {
    [ "$integrity" = quick ] && [ -r "$root/seal" ] || return 1
    { read -r seal_version sealed && read -r trees; } <"$root/seal"
    [ "$seal_version $sealed" = "1 $wanted" ] || return 1
    [ "$(cat "$root/seal")" = "1 $wanted$newline$trees$newline$(fingerprint "$root" "$bin_dir")" ]
}

describe_machine() {
    say "uname $(uname -s) $(uname -m) $(uname -r)"
    for file in /bin/sh /usr/bin/sh /system/bin/sh /usr/bin/python3 /usr/libexec/platform-python /usr/local/bin/python3; do
        if [ -r "$file" ]; then say "head $file $(od -An -v -tx1 -N 4096 "$file" | tr -d ' \n')"; fi
    done
    for file in /lib/ld-linux*.so.* /lib64/ld*.so.* /lib/ld64.so.* /libx32/ld-linux*.so.* /lib/ld.so.1 \
        /lib/ld-musl-*.so.1 /system/bin/linker /system/bin/linker64; do
        if [ -e "$file" ]; then say "loader $file"; fi
    done
    for file in /lib/ld-musl-*.so.1; do
        if [ -x "$file" ]; then say "musl $file $("$file" 2>&1 | sed -n 's/^Version //p')"; fi
    done
    version=$(getconf GNU_LIBC_VERSION 2>/dev/null)
    for file in /lib64/ld-linux*.so.* /lib/ld-linux*.so.* /lib64/ld64.so.* /lib/ld64.so.*; do
        if [ -z "$version" ] && [ -x "$file" ]; then
            version=$("$file" --version 2>/dev/null | sed -n '1s/.*version \([0-9.]*[0-9]\).*/glibc \1/p')
        fi
    done
    if [ -n "$version" ]; then say "getconf $version"; fi
    say "page_size $(getconf PAGESIZE 2>/dev/null)"
    describe_files
    describe_translators
    if [ -x /usr/bin/sw_vers ]; then
        say "macos $(/usr/bin/sw_vers -productVersion)"
        say "arm64 $(sysctl -n hw.optional.arm64 2>/dev/null)"
    fi
    if [ -e /Library/Apple/usr/libexec/oah/libRosettaRuntime ]; then say rosetta; fi
}

describe_files() {
    for file in /etc/os-release /usr/lib/os-release; do
        if [ -r "$file" ]; then
            while IFS= read -r line; do
                case $line in ID=* | PRETTY_NAME=*) say "os-release $line" ;; esac
            done <"$file"
            break
        fi
    done
    if [ -r /proc/cpuinfo ]; then
        while IFS= read -r line; do
            case $line in flags*:* | Features*:*) say "cpu $line" && break ;; esac
        done </proc/cpuinfo
    fi
    if [ -r /proc/self/auxv ]; then say "auxv $(od -An -v -tx1 -N 1024 /proc/self/auxv | tr -d ' \n')"; fi
}

# What Linux starts programs of other architectures with. An unmounted binfmt_misc has none, and is not to be mounted.
describe_translators() {
    case $(cat /proc/mounts 2>/dev/null) in *' /proc/sys/fs/binfmt_misc binfmt_misc '*) ;; *) return ;; esac
    for file in /proc/sys/fs/binfmt_misc/*; do
        case $file in */register | */status) continue ;; esac
        if [ ! -r "$file" ]; then continue; fi
        entry=
        while IFS= read -r line; do entry="$entry$line "; done <"$file"
        translator=${entry#*interpreter }
        if [ -x "${translator%% *}" ]; then say "translator found $entry"; else say "translator absent $entry"; fi
    done
}

find_needs() {
    say "$needs" | while IFS= read -r need; do
        case $need in
        '') ;;
        /*.dylib) if [ -r "$need" ]; then say "need $need $need -"; fi ;;
        /*.so | /*.so.*) if [ -f "$need" ] && [ -r "$need" ]; then say "need $need $need $(beginning_of "$need")"; fi ;;
        /*) if [ -x "$need" ]; then say "need $need $need -"; fi ;;
        bin/*) find_program "$need" "${need#bin/}" ;;
        */*) ;;
        *) find_library "$need" "${need%%:*}" "${need#*:}" ;;
        esac
    done
}

find_program() {
    for folder in /usr/bin /bin /usr/sbin /sbin /usr/local/bin /run/current-system/sw/bin \
        /run/current-system/profile/bin /system/bin; do
        if [ -f "$folder/$2" ] && [ -x "$folder/$2" ]; then say "need $1 $folder/$2 -" && break; fi
    done
}

beginning_of() { od -An -v -tx1 -N 64 "$1" | tr -d ' \n'; }

# holds FILE WORD: whether it stands in the file between zeros, over which the grep of busybox stumbles.
holds() { tr '\000' '\n' <"$1" 2>/dev/null | grep -qxF -e "$2"; }

# find_library NEED LIBRARY SYMBOL_VERSION: which of the other folders count, the cache of glibc's loader knows.
find_library() {
    for file in /lib/*-linux-*/"$2" /usr/lib/*-linux-*/"$2" /lib64/"$2" /usr/lib64/"$2" /lib/"$2" /usr/lib/"$2" \
        /usr/lib32/"$2" /lib/64/"$2" /usr/lib/64/"$2" /system/lib64/"$2" /system/lib/"$2" /usr/local/lib/"$2"; do
        if [ ! -f "$file" ] || [ ! -r "$file" ]; then continue; fi
        case $file in /usr/local/*) if [ -r /etc/ld.so.cache ] && ! holds /etc/ld.so.cache "$file"; then continue; fi ;; esac
        if [ "$1" = "$2" ] || holds "$file" "$3"; then say "need $1 $file $(beginning_of "$file")"; fi
    done
}

describe_state() {
    if ! command -v stat >/dev/null 2>&1; then say "lacks stat"; fi
    sha256=
    for command in sha256sum 'shasum -a 256' 'sha256 -r' 'openssl dgst -r -sha256'; do
        if [ -z "$sha256" ] && command -v "${command%% *}" >/dev/null 2>&1; then sha256=$command; fi
    done
    now=$(fingerprint "$root" "$bin_dir")
    for link in "$root"/current/*; do
        if [ -L "$link" ]; then
            tree=$(readlink "$link")
            say "active ${link##*/} ${tree##*/}"
            describe_tree "${link##*/}" "${tree##*/}"
        fi
    done
    for tool in "$root"/store/*; do
        # The newest first: what is kept longest.
        # shellcheck disable=SC2012
        if [ -d "$tool" ]; then ls -1t "$tool" | while IFS= read -r tree; do say "tree ${tool##*/} $tree"; done; fi
    done
    say "$candidates" | while IFS=/ read -r tool version; do
        for kept in "$root/store/$tool/$version"-*; do
            active=$(readlink "$root/current/$tool" 2>/dev/null)
            if [ -n "$tool" ] && [ -d "$kept" ] && [ "${active##*/}" != "${kept##*/}" ]; then
                describe_tree "$tool" "${kept##*/}"
            fi
        done
    done
    describe_links
}

# describe_tree TOOL TREE
describe_tree() {
    cd "$root/store/$1/$2" 2>/dev/null || return
    say "receipt $1 $2 $(cat receipt.json 2>/dev/null)"
    sums=
    if is_as_sealed "$1" "$2"; then
        say "verified $1 $2 seal"
    elif [ -z "$sha256" ]; then
        say "unverifiable $1 $2"
    else
        # shellcheck disable=SC2086
        sums=$(find libexec -type f -exec $sha256 {} + | sed 's/^\\*\([0-9a-f]*\)[ *]*/\1  /')
        say "verified $1 $2 hash"
        if [ ! -r files.sha256 ]; then say "missing $1 $2 files.sha256"; fi
        say "$sums" | grep -vxF -f files.sha256 | while read -r sum path; do say "changed $1 $2 $path"; done
        while read -r sum path; do
            if [ ! -f "$path" ]; then say "missing $1 $2 $path"; fi
        done <files.sha256
    fi
    for program in bin/*; do
        if [ -L "$program" ]; then describe_program "$1" "$2" "${program##*/}"; fi
    done
}

# describe_program TOOL TREE PROGRAM
describe_program() {
    target=$(readlink "bin/$3")
    file=${target#../}
    attributes=$(stat -c '%a %u %g %U %G' "$file" 2>/dev/null || stat -f '%Lp %u %g %Su %Sg' "$file" 2>/dev/null)
    sum=$(say "$sums" | while read -r sum path; do if [ "$path" = "$file" ]; then say "$sum"; fi; done)
    say "program $1 $2 $3 ${attributes:-- - - - -} $sum $target"
}

is_as_sealed() {
    [ "$integrity" = quick ] && [ "$(readlink "$root/current/$1")" = "../store/$1/$2" ] && [ -r "$root/seal" ] || return 1
    sealed=$(sed -n -e '1{/^1 /!q;}' -e '3,$p' "$root/seal" | grep -e " $1\$" -e " $1/")
    [ -n "$sealed" ] && [ "$sealed" = "$(say "$now" | grep -e " $1\$" -e " $1/")" ]
}

describe_links() {
    {
        say "$names"
        for program in "$root"/store/*/*/bin/*; do say "${program##*/}"; done
        # Links whose tool was deleted by hand. One process, where a loop would take one for each link of the system.
        # shellcheck disable=SC2010,SC2012
        ls -l "$bin_dir" 2>/dev/null | grep -F " -> $root/current/" | sed -e 's/ -> .*//' -e 's/.* //'
    } | sort -u | while IFS= read -r name; do
        if [ -z "$name" ]; then continue; fi
        if [ -L "$bin_dir/$name" ]; then
            say "link $name $(readlink "$bin_dir/$name")"
        elif [ -e "$bin_dir/$name" ]; then
            say "foreign $name"
        fi
    done
}

say "@@pinned.release 1"
if [ "$ask" = state ]; then
    locate
    if is_sealed; then
        say "sealed $trees"
        say "@@end"
        exit 0
    fi
    say "root $root"
    say "bin_dir $bin_dir"
    describe_state
fi
cd /
describe_machine
find_needs
say "@@end"
