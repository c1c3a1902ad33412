#!/bin/sh
# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Two branches lock two versions of a tool, and are merged: FOLDER PLATFORM COMMAND... What the message says to do is done.
set -eu
cd "$1"
platform=$2
shift 2
# Each line of a message as a line, on every ansible-core.
export ANSIBLE_CALLBACK_RESULT_FORMAT=yaml

want() {
    printf 'platforms: [%s]\ntools:\n  greet: {source: {directory: releases/greet}, version: "%s"}\n' "$platform" "$1" >merged.yml
}
lock() { "$@" pinned.release.lock -e manifest=merged.yml; }
commit() { git add merged.* && git -c user.name=a -c user.email=a@example.org commit -qm "$1"; }

git init -q .
want 1.0 && lock "$@" >/dev/null && commit one
git checkout -q -b other
want 2.0 && lock "$@" >/dev/null && commit two
git checkout -q -
want ">=1.0,<2" && lock "$@" >/dev/null && commit three
if git -c user.name=a -c user.email=a@example.org merge -q other; then echo "git merged them by itself" && exit 1; fi

echo "the manifest:"
lock "$@" 2>&1 || true
want 2.0
echo "the lock file:"
lock "$@" 2>&1 | tee refused.txt || true
# The command that is shown, less the second half: the manifest has another name here.
take=$(sed -n 's/^ *\(git checkout --theirs -- [^ ]*\) && .*/\1/p' refused.txt | head -n 1)
echo "the end, after: $take"
eval "$take"
lock "$@" 2>&1
