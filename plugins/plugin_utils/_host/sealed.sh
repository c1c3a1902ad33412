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
# $trees, and $strays: other tools there. What is remembered (by module_utils/seal.py): asked/DIGEST has a version, how
# many lines of looks there are, and the words of the answer: TOOL/TREE of each tool, -TOOL where there shall be none,
# =exact where there shall be no others, and ~TERMS, by which a run that changes a tool knows which other questions it
# left unanswered. Then come those lines of fingerprint.sh, and last the paths that they are about, less those of the
# tools' links and trees: whoever left a note in a folder that was theirs once cannot leave these out. To ask for paths
# that are known takes half the time of a walk through all trees: what is new among them changes a folder. Without paths,
# all is walked through: so it is where they are too many, and where tools are found by layouts (module_utils/layouts.py).
is_sealed() {
    cd "$root/current" 2>/dev/null && is_own_note || return 1
    remembered=$(cat "../asked/$wanted")
    IFS=$newline
    set -f
    # shellcheck disable=SC2086
    set -- $remembered
    set +f
    IFS=$usual_ifs
    head=$1
    # To read words takes time that grows with the square of their number.
    [ ${#head} -le 65536 ] || return 1
    version=${head%% *}
    words=${head#* }
    lines=${words%% *}
    words=${words#"$lines"}
    case $lines in '' | 0?* | *[!0-9]* | ????????*) return 1 ;; esac
    [ "$version" = "$SEAL" ] && [ "$lines" -lt $# ] || return 1
    shift $((lines + 1))
    trees=
    tops=
    exact=
    for word in $words; do
        case $word in
        =exact) exact=1 ;;
        '~'*) ;;
        -*) if [ -e "$root/store/${word#-}" ] || [ -L "$root/current/${word#-}" ]; then return 1; fi ;;
        *)
            trees="$trees $word"
            tops="$tops ${word%%/*} ../store/$word"
            ;;
        esac
    done
    strays=
    if [ -n "$whole$exact" ]; then find_strays; fi
    if [ -n "$exact" ] && [ -n "$strays" ]; then return 1; fi
    case "$strays " in *'/ '*) return 1 ;; esac
    looks=
    # Names of tools and trees have nothing that a shell would expand.
    # shellcheck disable=SC2086
    if [ $# -gt 0 ]; then
        if [ -e ../modulefiles ] || [ -e ../tool_cache ]; then return 1; fi
        looks=$(fingerprint "$root" "$bin_dir" = $tops "$@") || return 1
    elif [ -n "$trees" ]; then
        looks=$(fingerprint "$root" "$bin_dir" $trees) || return 1
    fi
    IFS=$newline
    [ "$remembered" = "$head${looks:+$newline$looks}${1:+$newline$*}" ]
    is_same=$?
    IFS=$usual_ifs
    return $is_same
}

# is_own_note: whether the file that is_sealed reads is a regular one of root's or of who runs, that nobody else may write, and not too large.
# $seen is what stat(1) said of it: MODE UID GID SIZE PATH.
is_own_note() {
    case $seen in
    8?[!13579bBdDfF][!2367abABefEF]" 0 "*" $root/asked/$wanted" | 8?[!13579bBdDfF][!2367abABefEF]" $user "*" $root/asked/$wanted") ;;
    *) return 1 ;;
    esac
    size=${seen#* * * }
    fits "$largest" "${size%% *}"
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
