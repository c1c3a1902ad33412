#!/bin/sh
# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# installer.sh VERSION FOLDER: installs uv as the installers that release tools generate do. It asks uname for the
# platform and takes the build for glibc, as a host with glibc gets it. It fetches the archive and its digest from BASE,
# compares them, and takes the program out of the folder that is called like the archive.
set -eu

version=$1 folder=$2
case $(uname -s) in
    Linux) system=unknown-linux-gnu ;;
    *) echo "no build for $(uname -s)" >&2; exit 1 ;;
esac
case $(uname -m) in
    x86_64 | amd64) machine=x86_64 ;;
    aarch64 | arm64) machine=aarch64 ;;
    *) echo "no build for $(uname -m)" >&2; exit 1 ;;
esac
name=uv-$machine-$system
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fetch() {
    if command -v curl >/dev/null; then
        curl -fsSL -o "$2" "$1"
    else
        wget -q -O "$2" "$1"
    fi
}

fetch "$BASE/$version/$name.tar.gz" "$work/$name.tar.gz"
fetch "$BASE/$version/$name.tar.gz.sha256" "$work/$name.tar.gz.sha256"
expected=$(cut -d ' ' -f 1 "$work/$name.tar.gz.sha256")
found=$(sha256sum "$work/$name.tar.gz" | cut -d ' ' -f 1)
if [ "$expected" != "$found" ]; then
    echo "the digest is $found, not $expected" >&2
    exit 1
fi
tar -xzf "$work/$name.tar.gz" -C "$work"
mkdir -p "$folder"
cp "$work/$name/uv" "$folder/uv"
