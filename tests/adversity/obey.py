# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries out the orders in the file named first, as the module on a host does; for tests that interrupt it."""

import json
import sys

from ansible_collections.pinned.release.plugins.module_utils import store
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.orders import from_json

with open(sys.argv[1], encoding="utf-8") as orders:
    try:
        store.obey(from_json(json.load(orders)))
    except ReleaseError as error:
        sys.exit(f"refused: {error}")
