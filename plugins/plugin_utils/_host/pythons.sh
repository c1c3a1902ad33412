# shellcheck shell=sh
# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Which Python can carry out orders here? Part of answer.sh, whose variables it uses. The first that is 3.6 or newer, has
# its standard library, and that nobody else can exchange (see chain.sh). The one that the user names is taken as it is, found
# and started as the orders will start it: on the PATH with which the question came, and with the task's environment.
# shellcheck disable=SC2154

# The modules that the program imports. Some distributions ship a Python without most of the standard library.
library='base64 collections concurrent contextlib difflib email errno fcntl grp hashlib heapq http importlib io json os posixpath pwd random re select shlex shutil signal socket ssl stat string struct subprocess sys tempfile time typing unicodedata urllib zipfile zlib'
# PROGRAM_FOLDERS of module_utils/decompress.py: where zstd is looked for.
program_folders='/usr/bin /bin /usr/local/bin /opt/homebrew/bin /opt/local/bin /run/current-system/sw/bin /run/current-system/profile/bin'
# Some have no decoders of formats that are not asked of each: Python's own of zstd came with 3.14.
decoders='_bz2:bz2 _lzma:xz _zstd:zst'
# Python 2 understands it as well. It prints: right, right:xz (what it cannot decode), old:2.7, or lacks:ssl.
check='import sys; del sys.path[0]; old = sys.version_info < (3, 6); find = lambda name: __import__("importlib.util").util.find_spec(name); lacks = [name for name in sys.argv[1].split() if not old and not find(name)]; kinds = [pair.split(":")[1] for pair in sys.argv[2].split() if not old and not find(pair.split(":")[0])]; print("old:%d.%d" % sys.version_info[:2] if old else "lacks:" + lacks[0] if lacks else ":".join(["right"] + kinds))'

find_python() {
    case $python in
    '') return ;;
    auto) ;;
    *)
        set -f
        # The words of a command.
        # shellcheck disable=SC2086
        set -- $python
        set +f
        named=$1
        case $named in \~/*) named=$HOME/${named#??} ;; esac
        shift
        is_right "$named" "$@" && say "python $encoded"
        return
        ;;
    esac
    for folder in /usr/bin /bin /run/current-system/sw/bin /run/current-system/profile/bin /usr/libexec /usr/local/bin; do
        for name in python3 platform-python python3.14 python3.13 python3.12 python3.11 python3.10 python3.9 python3.8 \
            python3.7 python3.6; do
            if [ ! -x "$folder/$name" ]; then continue; fi
            if ! is_trusted "$folder/$name"; then
                encode "$folder/$name"
                say "no_python untrusted $encoded"
            elif is_right "$folder/$name"; then
                say "python $encoded" && return
            fi
        done
    done
}

# is_right COMMAND...: whether it is such a Python; says why if not. Sets $encoded: the first word.
is_right() {
    why=$(as_ordered "$@" -E -s -S -c "$check" "$library" "$decoders" 2>/dev/null </dev/null)
    encode "$1"
    case $why in
    *[!a-z0-9_.:]*) why=fails ;;
    right | right:*) describe_decoders "$why:" && return ;;
    old:* | lacks:*) ;;
    *) why=fails ;;
    esac
    # The other shell expands it.
    # shellcheck disable=SC2016
    if ! as_ordered /bin/sh -c 'command -v "$1"' sh "$1" >/dev/null 2>&1; then why=absent; fi
    say "no_python $why $encoded"
    return 1
}

# describe_decoders RIGHT:KIND...:: what cannot be decoded with such a Python. Of zstd, a program serves as well.
describe_decoders() {
    for kind in bz2 xz zst; do
        case $1 in *":$kind:"*) ;; *) continue ;; esac
        if [ "$kind" != zst ] || ! has_zstd; then say "undecoded $kind"; fi
    done
}

has_zstd() {
    for folder in $program_folders; do
        if [ -x "$folder/zstd" ] || [ -x "$folder/unzstd" ]; then return; fi
    done
    return 1
}

# as_ordered COMMAND...: runs it in the environment that the orders will have.
as_ordered() { eval "env PATH=\"\${given_path:-\$PATH}\" $environment \"\$@\""; }

# is_trusted FILE: whether nobody but root and who runs can exchange it, or what leads to it.
is_trusted() (
    # judge calls it.
    # shellcheck disable=SC2317,SC2329
    untrusted() { exit 1; }
    ways=
    way_to "$1"
    ways=${ways%"$newline"*}
    judge_ways
    are_own_files "$largest" "$physical"
)
