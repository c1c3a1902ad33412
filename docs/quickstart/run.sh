#!/bin/sh
# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The whole story on this machine: pin real programs, install them, change one's mind, find and repair a changed byte.
# Everything happens below .build/quickstart, as the user who runs it.

set -eu

checkout=$PWD
story=$checkout/.build/quickstart
mkdir -p "$story"
cd "$story"
# Nothing of an earlier run but the cache of downloads.
rm -rf releases.yml releases.lock.json before.lock.json here.yml tools bin

export PINNED_RELEASE_CACHE="$story/cache"
export ANSIBLE_LOCALHOST_WARNING=false ANSIBLE_INVENTORY_UNPARSED_WARNING=false ANSIBLE_NOCOWS=true
export ANSIBLE_CALLBACK_RESULT_FORMAT=yaml ANSIBLE_DISPLAY_OK_HOSTS=true

# What a reader of the story does not need: empty lines, rows of stars, the recap, how a role is found.
tell() {
    awk '/^PLAY RECAP/ { skipping = 1 } /^PLAY \[/ { skipping = 0; next }
        skipping || /^$/ || /^included: / { next }
        /^TASK .*(Tell what changed|Validating arguments|Install what is pinned)/ { quiet = 1; next }
        /^TASK / { quiet = 0 }
        quiet && /^(ok|changed): / { next }
        { sub(/ \*+$/, ""); sub(/^TASK \[(pinned.release.tools : )?/, "["); print "   " $0 }'
}

# What a shell needs to use this collection after the story.
cat >../activate <<END
. '$checkout/.venv/bin/activate'
export ANSIBLE_COLLECTIONS_PATH='$checkout/.build/collections'
END

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }

# Show a command as a user would type it, and run it; a failure ends the story with all that was printed.
run() {
    printf '   $ %s\n' "$*"
    if "$@" >output 2>&1; then tell <output; else
        cat output
        exit 1
    fi
}

now() { python3 -c 'import time; print(time.time())'; }
seconds_since() { python3 -c 'import sys, time; print("%.1f" % (time.time() - float(sys.argv[1])))' "$1"; }
lock() { run ansible-playbook pinned.release.lock; }
rollout() { run ansible-playbook pinned.release.rollout -e @here.yml "$@"; }
versions() {
    for program in "$@"; do printf '   $ bin/%s --version   → %s\n' "$program" "$("bin/$program" --version)"; done
}

case "$(uname -s)/$(uname -m)" in
Darwin/arm64) platform=macos/aarch64 ;;
Darwin/*) platform=macos/x86_64 ;;
*) platform=linux/$(uname -m) ;;
esac

say "1. What we want: three tools, each with a range of versions (releases.yml)"
cat >releases.yml <<END
platforms: [$platform]
tools:
  uv:   {source: {pypi: uv},        version: ">=0.9,<1"}
  ruff: {source: {pypi: ruff},      version: "0.14.*"}
  just: {source: {pypi: rust-just}, version: ">=1.40,<2"}
END
sed 's/^/   /' releases.yml

say "2. Lock it: download, hash, read what each program needs, write releases.lock.json"
printf '   $ %s\n' "ansible-playbook pinned.release.lock"
ansible-playbook pinned.release.lock | tell

say "3. Bring this machine to the lock file, into a folder of your own (here.yml), and use what was installed"
cat >here.yml <<END
{target: localhost, tools_root: $story/tools, tools_bin_dir: $story/bin}
END
rollout
versions uv ruff just

say "4. Again: there is nothing to do, and finding that out takes one question to the host"
started=$(now)
rollout
echo "   $(seconds_since "$started") seconds, most of them Ansible's own start"

say "5. Change your mind: an older uv, then back; the way back needs no network"
cp releases.lock.json before.lock.json
sed 's/>=0.9,<1/0.9.30/' releases.yml >older.yml
mv older.yml releases.yml
grep uv: releases.yml
lock
rollout --diff
echo "   Back to the lock file of before, with every way to the network shut:"
mv before.lock.json releases.lock.json
export https_proxy=http://127.0.0.1:9 http_proxy=http://127.0.0.1:9 no_proxy=
rollout
unset https_proxy http_proxy no_proxy
versions uv

say "6. Somebody changes one byte of an installed program; it is seen, and repaired"
program=$(python3 -c 'import os; print(os.path.realpath("bin/just"))')
printf '!' | dd of="$program" bs=1 seek=4242 conv=notrunc 2>/dev/null
echo "   \$ ansible localhost -m pinned.release.tools_info -a 'tools=just integrity=full …'"
ansible localhost -m pinned.release.tools_info -a "root=$story/tools bin_dir=$story/bin tools=just integrity=full" |
    awk '/drift:/ { on = 1 } /kept:/ { on = 0 } on { print "   " $0 }'
rollout -e tools_integrity=full
versions just

say "That was it. Next, in a folder of your own:"
cat <<END
   . $checkout/.build/activate
                                                      puts Ansible and this collection at hand
   \$EDITOR releases.yml                                what you want, as in 1.
   ansible-playbook pinned.release.lock                pin it, and commit releases.lock.json
   ansible-playbook -i INVENTORY pinned.release.rollout --check --diff
                                                      what would happen on each of your hosts
   ansible-doc pinned.release.tools                    everything it can do
END
