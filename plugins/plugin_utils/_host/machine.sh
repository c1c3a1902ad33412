# shellcheck shell=sh
# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What is this machine, and does it have what programs need? Part of answer.sh, whose variables it uses. machine.py decides
# what the evidence means. All that is read here belongs to root.
# shellcheck disable=SC2154
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
