# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which kept trees are taken: real ones, changed by real users in every way that was thought of."""

import hashlib
import os
import shutil
import stat
import subprocess

import pytest
from ansible_collections.pinned.release.plugins.module_utils import store, tree_listing
from ansible_collections.pinned.release.plugins.module_utils.errors import StaleError
from ansible_collections.pinned.release.plugins.module_utils.kept_tree import refuse_changed
from ansible_collections.pinned.release.tests.unit.plugins.module_utils import walked
from ansible_collections.pinned.release.tests.unit.plugins.module_utils.released import Released, orders_for
from ansible_collections.pinned.release.tests.unit.plugins.module_utils.users import MALLORY, only_root

PROGRAM = "libexec/hello-1.0/bin/hello"
README = "libexec/hello-1.0/README"


class Kept:
    """A tree that was installed, and the order that would reuse it."""

    def __init__(self, folder):
        self.order = Released(folder).order()
        store.obey(orders_for(folder, self.order))
        self.tree = os.path.join(str(folder), "root/store/hello", self.order.tree)

    def path(self, name):
        return os.path.join(self.tree, name)

    def is_taken(self):
        refuse_changed(self.tree, self.order)
        return True

    def refused(self):
        with pytest.raises(StaleError, match="is no longer whole") as failure:
            refuse_changed(self.tree, self.order)
        assert failure.value.fix == "run again"
        assert "\n" not in failure.value.found
        return failure.value.found


@pytest.fixture(name="kept")
def _kept(tmp_path):
    return Kept(tmp_path)


def test_tree_as_it_was_installed_is_taken(kept):
    assert kept.is_taken()


def test_listing_is_what_a_walk_over_the_tree_finds(kept):
    with open(kept.path("listing"), "rb") as listing:
        assert listing.read() == b"".join(walked.listing(kept.tree))


def test_listing_lies_in_the_tree_for_all_to_read(kept):
    assert stat.S_IMODE(os.lstat(kept.path("listing")).st_mode) == 0o644


def test_lost_receipt_is_no_harm_since_it_is_written_anew(kept):
    os.unlink(kept.path("receipt.json"))
    assert kept.is_taken()


@pytest.mark.parametrize("mode", [0o700, 0o755, 0o750, 0o500, 0o711])
def test_mode_of_a_program_that_only_says_who_may_start_it_is_taken(kept, mode):
    os.chmod(kept.path(PROGRAM), mode)
    assert kept.is_taken()


def test_any_group_is_taken(kept):
    if os.geteuid() == 0:
        os.chown(kept.path(PROGRAM), -1, 24100)
    assert kept.is_taken()


def append(path):
    with open(path, "a") as file:
        file.write("x")


def replaced_by(make):
    def replace(path):
        os.unlink(path)
        make(path)

    return replace


def folder_by_link(path):
    moved = os.path.abspath(os.path.join(path, "../../../../moved"))
    os.rename(path, moved)
    os.symlink(moved, path)


CHANGES = {
    "program's bytes": (PROGRAM, append),
    "other file's bytes": (README, append),
    "lost program": (PROGRAM, os.unlink),
    "lost file": (README, os.unlink),
    "lost folder": ("libexec/hello-1.0/bin", shutil.rmtree),
    "lost link": ("bin/hello", os.unlink),
    "lost listing": ("listing", os.unlink),
    "changed listing": ("listing", append),
    "added file": ("libexec/evil", append),
    "added file beside": ("evil", append),
    "added folder": ("libexec/evil", os.mkdir),
    "added folder beside": ("lib", os.mkdir),
    "added link": ("bin/evil", lambda path: os.symlink("/bin/sh", path)),
    "added fifo": ("libexec/evil", os.mkfifo),
    "file as link to its like": (README, replaced_by(lambda path: os.symlink("bin/hello", path))),
    "program as link": (PROGRAM, replaced_by(lambda path: os.symlink("/bin/sh", path))),
    "file as fifo": (README, replaced_by(os.mkfifo)),
    "program as fifo": (PROGRAM, replaced_by(os.mkfifo)),
    "listing as fifo": ("listing", replaced_by(os.mkfifo)),
    "listing as link": ("listing", replaced_by(lambda path: os.symlink("/etc/shadow", path))),
    "listing as folder": ("listing", replaced_by(os.mkdir)),
    "receipt as fifo": ("receipt.json", replaced_by(os.mkfifo)),
    "receipt as link": ("receipt.json", replaced_by(lambda path: os.symlink("/etc/passwd", path))),
    "folder as link": ("libexec/hello-1.0/bin", folder_by_link),
    "link to elsewhere": ("bin/hello", replaced_by(lambda path: os.symlink("/bin/sh", path))),
    "link as file": ("bin/hello", replaced_by(append)),
    "mode 4755 of a program": (PROGRAM, lambda path: os.chmod(path, 0o4755)),
    "mode 2755 of a program": (PROGRAM, lambda path: os.chmod(path, 0o2755)),
    "mode 0777 of a program": (PROGRAM, lambda path: os.chmod(path, 0o777)),
    "mode 0775 of a program": (PROGRAM, lambda path: os.chmod(path, 0o775)),
    "mode 0755 of a file": (README, lambda path: os.chmod(path, 0o755)),
    "mode 0666 of a file": (README, lambda path: os.chmod(path, 0o666)),
    "mode 0600 of a file": (README, lambda path: os.chmod(path, 0o600)),
    "mode 0777 of a folder": ("libexec", lambda path: os.chmod(path, 0o777)),
    "mode 1755 of a folder": ("libexec/hello-1.0", lambda path: os.chmod(path, 0o1755)),
    "mode 0700 of a folder": ("libexec/hello-1.0", lambda path: os.chmod(path, 0o700)),
    "mode 0777 of the tree": (".", lambda path: os.chmod(path, 0o777)),
    "mode 0666 of the listing": ("listing", lambda path: os.chmod(path, 0o666)),
    "name with a line break": ("libexec/x\n81a4 y", append),
    "link with a line break": ("libexec/x", lambda path: os.symlink("a\n81a4 libexec/y", path)),
    "name that is no text": (os.fsdecode(b"libexec/\xff"), append),
}


@pytest.mark.parametrize("change", sorted(CHANGES))
def test_whatever_was_changed_is_seen(kept, change):
    name, make = CHANGES[change]
    make(kept.path(name))
    assert kept.refused()


@only_root
@pytest.mark.parametrize("name", [".", "libexec", "libexec/hello-1.0/bin", PROGRAM, README, "bin/hello", "listing"])
def test_what_belongs_to_another_user_is_not_believed(kept, name):
    os.lchown(kept.path(name), MALLORY, -1)
    assert "belongs to the user 24002" in kept.refused()


@only_root
@pytest.mark.skipif(shutil.which("setcap") is None, reason="setcap is not installed: apt-get install libcap2-bin")
def test_capability_of_a_file_that_is_no_program_is_seen(kept):
    subprocess.check_call(["setcap", "cap_setuid+ep", kept.path(README)])
    assert "security.capability" in kept.refused()


@only_root
@pytest.mark.skipif(shutil.which("setcap") is None, reason="setcap is not installed: apt-get install libcap2-bin")
def test_capability_of_a_program_is_taken_since_it_is_set_anew(kept):
    subprocess.check_call(["setcap", "cap_setuid+ep", kept.path(PROGRAM)])
    assert kept.is_taken()


@pytest.mark.skipif(shutil.which("setfacl") is None, reason="setfacl is not installed: apt-get install acl")
@pytest.mark.parametrize("arguments", [["-m", "u:24002:rwx"], ["-m", "u:24002:r--"], ["-d", "-m", "u:24002:rwx"]])
@pytest.mark.parametrize("name", [".", "libexec", PROGRAM, README, "listing"])
def test_access_control_list_is_seen(kept, name, arguments):
    if "-d" in arguments and not os.path.isdir(kept.path(name)):
        pytest.skip("only folders hand lists down")
    mode = stat.S_IMODE(os.stat(kept.path(name)).st_mode)
    subprocess.check_call(["setfacl", *arguments, kept.path(name)])
    os.chmod(kept.path(name), mode)
    assert "system.posix_acl" in kept.refused()


def test_program_and_listing_forged_together_are_seen_since_the_digest_is_pinned(kept):
    append(kept.path(PROGRAM))
    with open(kept.path("listing"), "wb") as listing:
        listing.writelines(walked.listing(kept.tree))
    assert kept.refused() == "its listing is not the one whose digest was locked"


def test_entry_with_line_breaks_in_its_text_does_not_pass_for_those_it_names(kept):
    """What is joined to the same bytes is not the same entries."""
    with open(kept.path("listing"), "rb") as listing:
        before = listing.read()
    os.unlink(kept.path("bin/hello"))
    os.symlink("../libexec/hello-1.0/bin/hello\nlibexec", kept.path("bin/hello"))
    assert tree_listing.digest([before]) == kept.order.tree_sha256
    assert "was added" in kept.refused()


def test_first_difference_is_named(kept):
    append(kept.path(README))
    with open(kept.path(README), "rb") as readme:
        found = hashlib.sha256(readme.read()).hexdigest()
    assert kept.refused() == "not as locked: {0}  {1}".format(found, README)
    shutil.rmtree(kept.path("libexec/hello-1.0"))
    assert kept.refused().startswith("missing: ")


def test_words_of_a_file_that_a_link_leads_to_are_not_shown(kept, tmp_path):
    (tmp_path / "secret").write_text("secret words\n")
    os.unlink(kept.path("listing"))
    os.symlink(str(tmp_path / "secret"), kept.path("listing"))
    assert "secret words" not in kept.refused()
