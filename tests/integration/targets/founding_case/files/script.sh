#!/bin/sh
# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# script.sh VERSION FOLDER: installs uv as scripts of continuous integration do. The name of the build is spelled out,
# sha256sum checks all that the release's sums file and the archive are about, and tar drops the first folder.
set -eu

file=uv-$(uname -m)-unknown-linux-gnu.tar.gz
mkdir -p "$2" "$2.work"
cd "$2.work"
for name in "$file" "$file.sha256" SHA256SUMS; do
    if command -v curl >/dev/null; then
        curl --fail --location --silent --show-error --remote-name "$BASE/$1/$name"
    else
        wget -q "$BASE/$1/$name"
    fi
done
sha256sum -c "$file.sha256"
grep " $file\$" SHA256SUMS | sha256sum -c -
tar -xzf "$file" --strip-components=1 -C "$2"
