#!/bin/sh
# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The whole story on this machine: pin real programs, install them, change one's mind, find and repair a changed byte.
# Everything happens below .build/quickstart, as the user who runs it.

set -eu

story=$PWD/.build/quickstart
mkdir -p "$story"
cd "$story"
# Nothing of an earlier run but the cache of downloads.
rm -rf releases.yml releases.lock.json old.lock.json tools bin

export PINNED_RELEASE_CACHE="$story/cache"
export ANSIBLE_LOCALHOST_WARNING=false ANSIBLE_INVENTORY_UNPARSED_WARNING=false ANSIBLE_NOCOWS=true
export ANSIBLE_CALLBACK_RESULT_FORMAT=yaml ANSIBLE_DISPLAY_OK_HOSTS=true ANSIBLE_PYTHON_INTERPRETER=auto_silent

# What a reader of the story does not need: empty lines, rows of stars, the recap.
tell() {
    awk '/^PLAY RECAP/ { skipping = 1 } /^PLAY \[/ { skipping = 0; next }
        skipping || /^$/ || /^TASK \[.*(Tell what changed|include)/ { next }
        { sub(/ \*+$/, ""); sub(/^TASK \[(pinned.release.tools : )?/, "["); print "   " $0 }'
}

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

rollout() {
    run ansible-playbook -i localhost, -c local pinned.release.rollout -e tools_root="$story/tools" -e tools_bin_dir="$story/bin" "$@"
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
  uv:   {source: {pypi: uv},        version: ">=0.9,<0.10"}
  ruff: {source: {pypi: ruff},      version: "0.14.*"}
  just: {source: {pypi: rust-just}, version: ">=1.40,<2"}
END
sed 's/^/   /' releases.yml

say "2. Lock it: download, hash, read what each program needs, write releases.lock.json"
printf '   $ %s\n' "ansible-playbook pinned.release.lock"
ansible-playbook pinned.release.lock | tell

say "3. Bring this machine to the lock file, and use what it installed"
rollout
for program in uv ruff just; do printf '   $ bin/%s --version → %s\n' "$program" "$("bin/$program" --version)"; done

say "4. Again: there is nothing to do, and finding that out is one question to the host"
started=$(now)
rollout
echo "   in $(seconds_since "$started") seconds, Ansible's own start included"

say "5. Change your mind: an older uv, and back; the way back needs no network"
cp releases.lock.json newest.lock.json
sed 's/>=0.9,<0.10/==0.9.5/' releases.yml >older.yml
mv older.yml releases.yml
printf '   $ %s\n' "ansible-playbook pinned.release.lock   # after version: \"==0.9.5\""
ansible-playbook pinned.release.lock | tell
rollout --diff
mv newest.lock.json releases.lock.json
https_proxy=http://127.0.0.1:9 http_proxy=http://127.0.0.1:9 no_proxy='' rollout
printf '   $ bin/uv --version → %s\n' "$(bin/uv --version)"

say "6. Somebody changes one byte of an installed program"
program=$(python3 -c 'import os; print(os.path.realpath("bin/just"))')
printf '!' | dd of="$program" bs=1 seek=4242 conv=notrunc 2>/dev/null
run ansible -i localhost, -c local localhost -m pinned.release.tools_info -a "root=$story/tools bin_dir=$story/bin integrity=full tools=just"
rollout -e tools_integrity=full
printf '   $ bin/just --version → %s\n' "$(bin/just --version)"

say "That was it. Next, in a folder of your own:"
cat <<END
   write releases.yml                                                what you want
   ansible-playbook pinned.release.lock                              pin it; commit releases.lock.json
   ansible-playbook -i INVENTORY pinned.release.rollout --check      what would happen, on every host
   ansible-playbook -i INVENTORY pinned.release.rollout --become     do it
   ansible-doc pinned.release.tools                                  everything it can do
   (first: . $(cd ../..; pwd)/.build/activate, which puts Ansible and this collection at hand)
END
