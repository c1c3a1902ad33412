# shellcheck shell=sh
# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Is all as sealed: is the answer to this very question remembered, and does all still look as it did then? Part of
# probe.sh, whose variables it uses. Only what chain.sh found to be trusted is read.
# shellcheck disable=SC2154,SC2088

# find_user: sets $user: the number of who runs. Linux tells it without another process.
find_user() {
    user=
    if [ -r /proc/self/status ]; then
        while read -r word _ value _; do
            if [ "$word" = Uid: ]; then user=$value && break; fi
        done </proc/self/status
    fi
    case $user in '' | *[!0-9]*) user=$(id -u) ;; esac
}

locate() {
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

# is_sealed: whether the last run that answered this very question is remembered, and everything still looks so. Sets
# $trees, and $strays: other tools there. What is remembered: asked/DIGEST has the words of one line, then what the
# links looked like: TOOL/TREE of each tool, -TOOL where there shall be none, =exact where there shall be no others, and
# ~TERMS, by which a run that changes a tool knows which other questions it left unanswered.
# seals/TOOL has what the files of a tool's tree looked like when somebody last looked into them.
is_sealed() {
    cd "$root/seals" 2>/dev/null && are_own_notes 256 asked "$wanted" || return 1
    { read -r version words; } <"../asked/$wanted"
    [ "$version" = "$SEAL" ] || return 1
    trees=
    exact=
    set --
    for word in $words; do
        case $word in
        =exact) exact=1 ;;
        '~'*) ;;
        -*) if [ -e "$root/store/${word#-}" ] || [ -L "$root/current/${word#-}" ]; then return 1; fi ;;
        *)
            trees="$trees $word"
            set -- "$@" "${word%%/*}"
            ;;
        esac
    done
    strays=
    if [ -n "$whole$exact" ]; then find_strays; fi
    if [ -n "$exact" ] && [ -n "$strays" ]; then return 1; fi
    case "$strays " in *'/ '*) return 1 ;; esac
    looks=
    if [ $# -gt 0 ]; then
        # Names of tools and trees have nothing that a shell would expand.
        # shellcheck disable=SC2086
        are_own_notes "$largest" seals "$@" && looks=$(fingerprint "$root" "$bin_dir" $trees) || return 1
    fi
    [ "$(cat "../asked/$wanted" "$@" 2>/dev/null)" = "$version${words:+ $words}${looks:+$newline$looks}" ]
}

# notes_of_answers: sets $notes: the files that is_sealed may read, each behind a line break and a space.
notes_of_answers() {
    notes=
    for note in "$root/asked/$wanted" "$root"/seals/*; do
        case $note in *"$newline"*) ;; *) notes="$notes$newline $note" ;; esac
    done
}

# are_own_notes KILOBYTES FOLDER NAME...: as are_own_files, of files below root that $seen tells of. Its lines are those
# of notes_of_answers: MODE UID GID SIZE PATH.
are_own_notes() {
    most=$1
    folder=$root/$2
    shift 2
    expected=" $* "
    count=$#
    sizes=
    IFS=$newline
    set -f
    for line in $seen; do
        note=${line#* * * * }
        name=${note##*/}
        case $expected in *" $name "*) ;; *) continue ;; esac
        if [ "$note" != "$folder/$name" ]; then continue; fi
        size=${line#* * * }
        case $line in
        8?[!13579bBdDfF][!2367abABefEF]" 0 "* | 8?[!13579bBdDfF][!2367abABefEF]" $user "*)
            sizes="$sizes${size%% *}$newline"
            count=$((count - 1))
            ;;
        esac
    done
    # shellcheck disable=SC2086
    [ "$count" -eq 0 ] && fits "$most" $sizes
    are_own=$?
    set +f
    IFS=$usual_ifs
    return $are_own
}

# find_strays: the tools that are there and not among $trees. What leads to no tree has nothing behind its slash.
find_strays() {
    set -- "$root"/current/*
    if [ -n "$exact" ]; then set -- "$@" "$root"/store/*; fi
    for link in "$@"; do
        stray=${link##*/}
        case "$trees $strays " in *" $stray/"*) continue ;; esac
        if is_name "$stray" && { [ -e "$link" ] || [ -L "$link" ]; }; then
            tree=$(readlink "$root/current/$stray" 2>/dev/null)
            strays="$strays $stray/${tree##*/}"
        fi
    done
}

# fits KILOBYTES SIZE...: whether files of these sizes, in bytes, are no larger together. What takes no room on the disk
# takes time to read as well. A shell may count no further than 2147483647.
fits() {
    left=$1
    shift
    for size in "$@"; do
        case $size in ?????????????*) return 1 ;; ????*) left=$((left - ${size%???})) ;; esac
        [ "$left" -ge 0 ] || return 1
    done
}

is_name() { case $1 in '' | [!A-Za-z0-9]* | *[!A-Za-z0-9._+-]*) return 1 ;; esac; }
