#!/bin/sh
# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The whole story on this machine: pin real programs, install them, change one's mind, find and repair a changed byte.
# Everything happens below .build/quickstart, as the user who runs it.
# It fits two screens of 80 columns, and takes only what the sh and sed of Linux, BSD and macOS have in common.

set -eu

tell=$(cd "$(dirname "$0")" && pwd)/tell.py
checkout=$PWD
story=$checkout/.build/quickstart
mkdir -p "$story"
cd "$story"
# Nothing of an earlier run but the cache of downloads.
rm -rf releases.* older.yml before.* here.yml tools bin reports failed

export PINNED_RELEASE_CACHE="$story/cache"
# What the user set up for Ansible belongs to another story: it may become root, or print in its own way.
for name in $(env | sed -n 's/^\(ANSIBLE_[A-Z_]*\)=.*/\1/p'); do
    [ "$name" = ANSIBLE_COLLECTIONS_PATH ] || unset "$name"
done
: >ansible.cfg
export ANSIBLE_CONFIG="$story/ansible.cfg"
export ANSIBLE_HOME="$story/ansible" ANSIBLE_REMOTE_TEMP="$story/ansible/tmp"
export ANSIBLE_LOCALHOST_WARNING=false ANSIBLE_INVENTORY_UNPARSED_WARNING=false ANSIBLE_NOCOWS=true
export ANSIBLE_CALLBACK_RESULT_FORMAT=yaml ANSIBLE_DISPLAY_OK_HOSTS=true ANSIBLE_DISPLAY_SKIPPED_HOSTS=false

# Ansible wants a locale whose texts are UTF-8: what it prints has arrows, and names may have any letter.
case $(locale charmap 2>/dev/null) in
*[Uu][Tt][Ff]*8*) ;;
*) for name in C.UTF-8 C.utf8 en_US.UTF-8; do
    if locale -a 2>/dev/null | grep -qx "$name"; then
        export LC_ALL="$name"
        break
    fi
done ;;
esac

# A word as one types it into a shell; Ansible itself takes no path with an apostrophe.
typed() {
    case $1 in
    *[!A-Za-z0-9_./@=:,+-]*) printf "'%s'" "$1" ;;
    *) printf '%s' "$1" ;;
    esac
}

# A command as one types it, on more lines than one where it is long.
show() {
    line='   $'
    for word; do
        word=$(typed "$word")
        if [ $((${#line} + ${#word})) -gt 77 ]; then
            printf '%s \\\n' "$line"
            line='      '
        fi
        line="$line $word"
    done
    printf '%s\n' "$line"
}

# What a shell needs to use this collection after the story.
cat >../activate <<END
. $(typed "$checkout/.venv/bin/activate")
ANSIBLE_COLLECTIONS_PATH=$(typed "$checkout/.build/collections")
export ANSIBLE_COLLECTIONS_PATH
END

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$(printf '\033[1m') plain=$(printf '\033[0m'); else bold='' plain=''; fi
say() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }

# Show a command as a user would type it, and run it with what it prints on the screen; a failure ends the story.
run() {
    show "$@"
    { "$@" 2>&1 || touch failed; } | python3 "$tell" "$story/"
    [ ! -e failed ] || {
        say "The story ends here, for the reason above."
        echo "When that is corrected, type make quickstart again."
        exit 1
    }
}

now() { python3 -c 'import time; print(time.time())'; }
seconds_since() { python3 -c 'import sys, time; print("%.1f" % (time.time() - float(sys.argv[1])))' "$1"; }
lock() { run ansible-playbook pinned.release.lock; }
# Shells that take "$@" for unset where it is empty are not rare enough.
rollout() { run ansible-playbook pinned.release.rollout -e @here.yml ${1+"$@"}; }
versions() {
    for program in "$@"; do printf '   $ bin/%s --version   → %s\n' "$program" "$("bin/$program" --version)"; done
}

# A 32-bit system runs on many a 64-bit kernel.
case "$(uname -s)/$(uname -m)/$(getconf LONG_BIT 2>/dev/null)" in
Darwin/arm64/*) platform=macos/aarch64 ;;
Darwin/*) platform=macos/x86_64 ;;
*/x86_64/32) platform=linux/i686 ;;
*/aarch64/32 | */armv8l/*) platform=linux/armv7 ;;
*) platform=linux/$(uname -m) ;;
esac

say "A story in six steps. All of it happens in $story"

say "1. What we want: three tools, each with a range of versions (releases.yml)"
cat >releases.yml <<END
# yaml-language-server: \$schema=../../docs/schema/releases.schema.json
platforms: [$platform]
tools:
  uv: ">=0.9,<1"
  ruff: "0.14.*"
  just: "pypi:rust-just@>=1.40,<2"
END
sed 's/^/   /' releases.yml

say "2. Lock it: download, hash, read what each program needs, write the lock file"
lock

say "3. Bring this machine to the lock file, into two folders of your own"
cat >here.yml <<END
target: localhost
tools_root: "$story/tools"
tools_bin_dir: "$story/bin"
END
echo "   In here.yml: target: localhost, tools_root: …/tools, tools_bin_dir: …/bin"
rollout
versions uv ruff just

say "4. Again: nothing is to do, and one question to the host finds that out"
started=$(now)
rollout
echo "   $(seconds_since "$started") seconds, most of them Ansible's own start"

say "5. Change your mind: an older uv, then back; the way back needs no network"
cp releases.yml before.yml
cp releases.lock.json before.lock.json
cp releases.components.json before.components.json
sed 's/>=0.9,<1/0.9.30/' releases.yml >older.yml
mv older.yml releases.yml
echo "   In releases.yml, with another version:"
sed -n "s/^ *uv:/     uv:/p" releases.yml
lock
rollout --diff
echo "   The switch was one rename, of the link through which both programs are found:"
echo "   tools/current/uv → $(readlink tools/current/uv)"
echo "   Back to the three files of step 2 (releases.yml and the two that lock wrote),"
echo "   with every way to the network shut:"
mv before.yml releases.yml
mv before.lock.json releases.lock.json
mv before.components.json releases.components.json
export https_proxy=http://127.0.0.1:9 http_proxy=http://127.0.0.1:9 no_proxy=
rollout
unset https_proxy http_proxy no_proxy
versions uv

say "6. Somebody changes one byte of an installed program; it is seen, and repaired"
program=$(python3 -c 'import os; print(os.path.realpath("bin/just"))')
printf '!' | dd of="$program" bs=1 seek=4242 conv=notrunc 2>/dev/null
info='root={{ tools_root }} bin_dir={{ tools_bin_dir }}
        lockfile=releases.lock.json tools=just integrity=full'
run ansible localhost -e @here.yml -m pinned.release.tools_info -a "$info"
rollout -e tools_integrity=full
versions just

say "That was it. Next, in a folder of your own:"
cat <<END
   # Ansible and this collection, in this shell:
   . $(typed "$checkout/.build/activate")
   # What you want, as in 1. Then pin it, and commit releases.lock.json:
   \$EDITOR releases.yml
   ansible-playbook pinned.release.lock
   # What would happen, let it happen, and a report of what every host has:
   ansible-playbook -i INVENTORY pinned.release.rollout --become --check --diff
   ansible-playbook -i INVENTORY pinned.release.rollout --become
   ansible-playbook -i INVENTORY pinned.release.audit --become
   # All that it can do; docs/guide/ tells the rest:
   ansible-doc pinned.release.tools
END
