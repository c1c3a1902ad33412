# shellcheck shell=sh
# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The one question to a host begins: is all as sealed? Any POSIX sh; writes nothing. What else is asked, answer.sh tells.
# Made by probe.py of this file, of chain.sh and sealed.sh, which come before, and of what follows for that question.
# Set before, too:
#   fingerprint   function made of fingerprint.sh, for a shell of its own: $(fingerprint ...)
#   ask           seal: only whether all is as sealed; state, or host: only what machine this is
#   nonce         a word that ends no line of anybody who does not know the question
#   root bin_dir  where to look; empty means this user's defaults
#   wanted        digest of the state asked for
#   whole         not empty: tools that nobody asked for are to be named
#   integrity     quick, or full: hash every file
#   largest       kilobytes that the files of a tree may have together: more is not read
# A line of the answer is a word and its fields. A field that is not made of plain characters is written in hexadecimal,
# so that no byte of it can end a line.
# shellcheck disable=SC2034,SC2154
# A host may give its shells options by the environment (SHELLOPTS of bash).
set +efuC
export LC_ALL=C TZ=UTC0 PATH=/usr/bin:/bin:/usr/sbin:/sbin:/run/current-system/sw/bin:/run/current-system/profile/bin:/system/bin
unset QUOTING_STYLE TIME_STYLE POSIXLY_CORRECT CDPATH
say() { printf '%s\n' "$*"; }
newline='
'
SEAL=6

# encode TEXT: sets $encoded
encode() {
    encoded=$1
    case $1 in '' | *[!A-Za-z0-9/._+,:=@~-]*) encoded=%$(printf %s "$1" | od -An -v -tx1 | tr -d ' \n') ;; esac
}

finish() {
    say "@@end $nonce"
    exit 0
}

# After a line of its own: what a login shell prints before need not end its line.
say "$newline@@pinned.release $nonce"
if [ "$ask" != host ]; then
    for command in stat uniq; do
        if ! command -v "$command" >/dev/null 2>&1; then say "lacks $command" && finish; fi
    done
    find_user
    locate
    for place in "$root" "$bin_dir"; do
        case $place in /*) ;; *) say homeless && finish ;; esac
    done
    distrust
    sealed=
    if is_sealed; then sealed=yes; fi
    encode "$root"
    say "root $encoded"
    if [ "$ask" = seal ]; then
        if [ -n "$sealed" ]; then say "sealed$trees${strays:+ also$strays}"; fi
        finish
    fi
    if [ -n "$sealed" ]; then say remembered; fi
    encode "$bin_dir"
    say "bin_dir $encoded"
fi
