# shellcheck shell=sh
# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Can anybody but root and who runs exchange a folder on the way to root or bin_dir? Part of probe.sh, whose variables it
# uses. module_utils/chain.py holds the same rules for the run that changes something.
#   A folder belongs to root or to who runs. Nobody else may write there, except where a folder above is sticky
#   (only the owner of what lies in it can exchange that), and except a group that has no member but these two.
#   A link on the way belongs to root or to who runs as well, and does not lie in a sticky folder: whoever owns the folder
#   that root made it in can move it there. It is followed here, folder by folder.
# shellcheck disable=SC2154

# way_to FOLDER: appends each folder and link on the way to $ways, a line each, a * before the last one, which may not be
# sticky; a = is before those that may be no link either. What does not exist ends the way. Sets $physical: FOLDER without links.
way_to() {
    way=
    left=${1#/}/
    links=0
    ways="$ways$newline /"
    while [ -n "$left" ]; do
        step=${left%%/*}
        left=${left#*/}
        case $step in
        '' | .) continue ;;
        ..) way=${way%/*} && ways="$ways$newline ${way:-/}" && continue ;;
        esac
        if [ -L "$way/$step" ]; then
            links=$((links + 1))
            ways="$ways$newline $way/$step"
            target=$(readlink "$way/$step")
            case $links$target in
            41* | *"$newline"*) untrusted kind "$way/$step" - - ;;
            esac
            left=$target/$left
            case $target in /*) way= && ways="$ways$newline /" ;; esac
            continue
        fi
        way=$way/$step
        physical=$way${left:+/}${left%/}
        if [ ! -e "$way" ]; then return; fi
        mark=' '
        if [ -z "$left" ]; then mark='*'; fi
        ways="$ways$newline$mark$way"
    done
}

# judge PLACE MODE UID GID: MODE in hexadecimal, as lstat(2) has it. $open says that others may write in the folder before.
judge() {
    case $3 in 0 | "$user") ;; *) untrusted owner "${1#?}" "$3" "$4" ;; esac
    case $1$2 in =*[aA]???) untrusted kind "${1#?}" "$3" "$4" ;; esac
    case $2 in
    [aA]*) if [ -n "$open" ]; then untrusted link "${1#?}" "$3" "$4"; fi ;;
    4?[13579bBdDfF][014589cCdD] | 4??[2367abABefEF])
        case $1$2 in ' '*4[2367abABefEF]??) open=1 && return ;; esac
        case $2 in 4??[2367abABefEF]) untrusted others "${1#?}" "$3" "$4" ;; esac
        if ! is_harmless_group "$4" "${1#?}"; then untrusted group "${1#?}" "$3" "$4"; fi
        open=
        ;;
    4*) open= ;;
    *) untrusted kind "${1#?}" "$3" "$4" ;;
    esac
}

# tells_lists: whether ls tells of access control lists: that of busybox and toybox does not. Sets $masked: the option by
# which it masks what is not printed, line breaks among it; that of busybox has none, and always does.
# shellcheck disable=SC2034
tells_lists() {
    masked=q
    case $(ls --help 2>&1) in *[Bb]usy[Bb]ox*) masked= && return 1 ;; *[Tt]oybox*) return 1 ;; esac
}

# is_harmless_group GID FOLDER: whether none but root and who runs is in it, and no access control list adds somebody.
is_harmless_group() {
    tells_lists || return 1
    case $(ls -ld "$2") in ??????????+*) return 1 ;; esac
    [ -r /etc/group ] && [ -r /etc/passwd ] || return 1
    grep -q "^[^:]*:[^:]*:$1:" /etc/group || return 1
    members=$(
        sed -n "s/^[^:]*:[^:]*:$1://p" /etc/group | tr , '\n'
        sed -n "s/^\([^:]*\):[^:]*:[^:]*:$1:.*/\1/p" /etc/passwd
    )
    ! say "$members" | grep -qvx -e '' -e root -e "$(id -un)"
}

judge_all() {
    open=
    IFS=$newline
    set -f
    for place in $ways; do
        line=${seen%%"$newline"*}
        seen=${seen#*"$newline"}
        # What has gone meanwhile has no line.
        if [ "${line#* * * * }" != "${place#?}" ]; then untrusted kind "${place#?}" - -; fi
        IFS=' '
        # shellcheck disable=SC2086
        judge "$place" ${line% "${place#?}"}
    done
    set +f
    IFS=$usual_ifs
}

# distrust: ends the answer unless root and bin_dir, the ways to them, and root's own folders can be trusted. From then on
# root and bin_dir are paths without links.
distrust() {
    case $root$bin_dir in *"$newline"*) untrusted kind "$root" - - ;; esac
    ways=
    way_to "$root"
    root=$physical
    way_to "$bin_dir"
    bin_dir=$physical
    for folder in store current asked seals staging; do
        if [ -e "$root/$folder" ] || [ -L "$root/$folder" ]; then ways="$ways$newline=$root/$folder"; fi
    done
    notes="$newline $root/asked/$wanted"
    judge_ways
}

# judge_ways: ends the answer unless all that is in $ways can be trusted. $seen then has what stat(1) says of $notes.
judge_ways() {
    if [ -z "$ways" ]; then return; fi
    usual_ifs=$IFS
    ways=${ways#"$newline"}
    IFS=$newline
    set -f
    # Which of the two kinds of stat(1) this is, its first answer tells.
    stat_option=-c
    # shellcheck disable=SC2086
    seen=$(of_each "%f %u %g %s %n" - $ways$notes)
    if [ -z "$seen" ]; then
        stat_option=-f
        # shellcheck disable=SC2086
        seen=$(of_each - "%Xp %u %g %z %N" $ways$notes)
    fi
    notes=
    set +f
    IFS=$usual_ifs
    judge_all
}

# of_each GNU_FORMAT BSD_FORMAT PLACE...: what stat(1) says of each place, its mark cut off.
of_each() {
    gnu=$1
    bsd=$2
    shift 2
    for place in "$@"; do
        shift
        set -- "$@" "${place#?}"
    done
    stat_of "$gnu" "$bsd" "$@"
}

# stat_of GNU_FORMAT BSD_FORMAT FILE...: for a shell of its own, $(stat_of ...), as of_each is.
stat_of() {
    format=$1
    if [ "$stat_option" != -c ]; then format=$2; fi
    shift 2
    exec stat "$stat_option" "$format" "$@" 2>/dev/null
}

# untrusted WHY PLACE UID GID
untrusted() {
    encode "$2"
    say "untrusted $1 $encoded $3 $4"
    finish
}
