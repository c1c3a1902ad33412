#!/bin/sh
# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Finds a Python that can run the gates and runs them with it; says what to install where there is none.
# PYTHON=/path/to/python chooses one.

set -eu

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null
}

if [ -n "${PYTHON:-}" ] && ! is_new_enough "$PYTHON"; then
    echo "PYTHON=$PYTHON is no Python 3.10 or newer." >&2
    exit 1
fi
for python in "${PYTHON:-python3}" python3 python3.14 python3.13 python3.12 python3.11 python3.10; do
    if is_new_enough "$python"; then
        exec "$python" "$(dirname "$0")/run.py" "$@"
    fi
done

cat >&2 <<'MISSING'
No Python 3.10 or newer was found on PATH. To install one:
  Debian, Ubuntu   apt-get install python3 python3-venv
  Fedora, RHEL     dnf install python3.12
  macOS            brew install python
Or name one: make test PYTHON=/path/to/python3
MISSING
exit 1
