# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries out the orders in the file named first, as the module on a host does; for tests that interrupt it."""

import concurrent.futures
import json
import sys

from ansible_collections.pinned.release.plugins.module_utils import store
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError, StaleError
from ansible_collections.pinned.release.plugins.module_utils.orders import from_json

# What is loaded when it is first used: then another user may run, who may not read it.
concurrent.futures.ThreadPoolExecutor(1).shutdown()


def main(path: str) -> int:
    """Return the exit status: 0 when the orders were carried out, 1 when they were refused, 2 when they are stale."""
    with open(path, encoding="utf-8") as orders:
        document = json.load(orders)
    try:
        store.obey(from_json(document))
    except StaleError as error:
        print(f"stale: {error}", file=sys.stderr)
        return 2
    except ReleaseError as error:
        print(f"refused: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
