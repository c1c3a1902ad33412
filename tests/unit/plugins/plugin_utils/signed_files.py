# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files with signatures for tests, and what a refusal of one must have."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._signature import Signed

NAME = "tool-1.0-linux.bin"
CONTENT = b"the bytes of a program"


def signed(content: bytes, signature: bytes, name: str = NAME, suffix: str = ".sig") -> Signed:
    """Return the file *name* with its *content*, and the *signature* that lies beside it."""
    sha256 = hashlib.sha256(content).hexdigest()
    return Signed(name, "1.0", sha256, lambda: io.BytesIO(content), name + suffix, signature)


def refused(call: Callable[[], object]) -> ReleaseError:
    """Return the error of a *call* that refuses a signature; it has all parts, and steers no terminal."""
    with pytest.raises(ReleaseError) as caught:
        call()
    error = caught.value
    assert error.expected
    assert error.found
    assert error.fix
    assert str(error).replace("\n", "").isprintable()
    return error
