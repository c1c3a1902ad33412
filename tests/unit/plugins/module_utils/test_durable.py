# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How files and folders go away, whatever somebody put there."""

import contextlib
import os
import resource
import subprocess
import tempfile

import pytest
from ansible_collections.pinned.release.plugins.module_utils import durable
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError


@pytest.fixture
def few_open_files():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_folders_that_lie_deeper_than_files_may_be_open_are_told_of(few_open_files):
    assert told_of_deep_folders(500)


def test_folders_that_lie_deep_in_each_other_are_deleted_or_told_of():
    told_of_deep_folders(3000)


def told_of_deep_folders(levels):
    """Whether *levels* folders in folders could not be deleted; they are gone, or who runs is told of them."""
    folder = tempfile.mkdtemp()
    here = os.getcwd()
    try:
        os.chdir(folder)
        for _level in range(levels):
            os.mkdir("d")
            os.chdir("d")
        os.chdir(here)
        told = [folder, "rm -r"]
        with contextlib.suppress(ReleaseError):
            durable.empty(folder)
            told = []
        if told:
            with pytest.raises(ReleaseError, match="cannot be deleted") as caught:
                durable.empty(folder)
            assert all(word in str(caught.value) for word in told)
        else:
            assert os.listdir(folder) == []
        return bool(told)
    finally:
        os.chdir(here)
        subprocess.run(["rm", "-rf", folder], check=True)
