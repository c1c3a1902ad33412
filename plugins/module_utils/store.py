# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How are orders carried out so that a host always has the old version or the new one, whole? Runs on hosts.

    ROOT/store/TOOL/TREE/{libexec/…, bin/PROGRAM, files.sha256, receipt.json}   complete before it gets this name
    ROOT/current/TOOL -> ../store/TOOL/TREE                                   the switch: one rename(2)
    ROOT/staging/…   ROOT/seal   ROOT/lock                                    work in progress; see probe.sh; flock(2)
    BIN_DIR/PROGRAM -> ROOT/current/TOOL/bin/PROGRAM

Unpack beside, fsync, rename: what POSIX promises of rename(2) is what makes each switch atomic. Whatever a killed run
leaves behind lies in staging, which the next run empties. What was unpacked lies in libexec, since that is where
SELinux policies expect programs below /opt.

Private to the collection: plugins and roles are its API, nothing in this file is.
"""

import contextlib
import errno
import fcntl
import grp
import hashlib
import json
import os
import pwd
import re
import shutil
import stat
import subprocess
import tempfile
import time
import typing as t

from ansible_collections.pinned.release.plugins.module_utils.archive import unpack
from ansible_collections.pinned.release.plugins.module_utils.download import download
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.labels import set_labels
from ansible_collections.pinned.release.plugins.module_utils.orders import Orders, ToolOrder

LOCK_TIMEOUT_S = 900
CHECK_TIMEOUT_S = 120
CHECK_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SEAL_VERSION = "1"
_SAFE_FLAGS = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class StaleError(ReleaseError):
    """The host is no longer as it was asked: ask it again and plan anew."""


class Done(t.NamedTuple):
    """What was done for one tool: bytes downloaded, foreign files set aside (path to backup)."""

    tool: str
    downloaded: int
    backups: t.Dict[str, str]


def obey(orders: Orders) -> t.List[Done]:
    """Carry out *orders*: stage everything, then activate everything, then seal. Return what was done.

    Raises ReleaseError; until all is staged, nothing that a user sees has changed. Raises StaleError when another run
    changed the host since it was asked.
    """
    store = _Store(orders)
    with _changes_reported(orders):
        store.create()
        with store.lock():
            store.refuse_stale_orders()
            staged = store.stage_all()
            done = []
            for order in orders.tools:
                backups = store.activate(order, staged[order.tool].tree) if order.tree else store.remove(order)
                downloaded = staged[order.tool].downloaded if order.tree else 0
                done.append(Done(order.tool, downloaded, backups))
            for order in orders.tools:
                store.prune(order)
            # Before the seal, which a change of labels breaks.
            set_labels(store.links())
            store.seal()
    return done


class _Staged(t.NamedTuple):
    tree: str
    downloaded: int


@contextlib.contextmanager
def _changes_reported(orders: Orders) -> t.Iterator[None]:
    """Turn what the operating system refuses into an error that says where and what to do."""
    try:
        yield
    except OSError as error:
        # Of two names, as of a link and what it leads to, the second is the one that is made.
        place = error.filename2 or error.filename or orders.root
        advice = {
            errno.ENOSPC: "make room there, or choose another root",
            errno.EDQUOT: "raise the quota, or choose another root",
            errno.EACCES: "run with become, or choose a root and bin_dir that this user may write",
            errno.EPERM: "run with become; if the file is immutable, see chattr(1)",
            errno.EROFS: "choose a root and bin_dir on a file system that can be written",
            errno.ENOENT: "choose a root and bin_dir where folders can be made",
            errno.EEXIST: "choose a root and bin_dir that are folders",
            errno.ENOTDIR: "choose a root and bin_dir that are folders",
        }
        raise ReleaseError(
            "cannot change {0}: {1}".format(place, os.strerror(error.errno or 0)), fix=advice.get(error.errno or 0)
        )


@contextlib.contextmanager
def _tool_named(tool: str) -> t.Iterator[None]:
    """Let an error say which of the many tools it is about: a download knows an address only."""
    try:
        yield
    except StaleError:
        raise
    except ReleaseError as error:
        raise error.about(tool) from error


class _Store:
    """The store below one root, while its lock is held."""

    def __init__(self, orders: Orders) -> None:
        self.orders = orders
        self.root = orders.root
        self.staging = os.path.join(self.root, "staging")
        self.uid = _number_of("user", orders.owner, lambda name: pwd.getpwnam(name).pw_uid)
        self.gid = _number_of("group", orders.group, lambda name: grp.getgrnam(name).gr_gid)

    def create(self) -> None:
        os.umask(0o022)
        folders = (self.root, self.staging, self._path("store"), self._path("current"), self.orders.bin_dir)
        set_labels([made for made in map(_make_folder, folders) if made])
        for folder in (self.root, self.staging, self._path("store"), self._path("current")):
            _refuse_others(folder, os.stat(folder) if folder == self.root else os.lstat(folder))

    @contextlib.contextmanager
    def lock(self) -> t.Iterator[None]:
        """Hold the root's lock: a second run waits for the first."""
        with open(self._path("lock"), "a") as handle:
            deadline_s = time.monotonic() + LOCK_TIMEOUT_S
            while True:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except (IOError, OSError) as error:
                    if error.errno not in (errno.EAGAIN, errno.EACCES):
                        raise
                if time.monotonic() > deadline_s:
                    raise ReleaseError(
                        "another run has held {0} for {1} seconds".format(self._path("lock"), LOCK_TIMEOUT_S),
                        fix="see which process holds it (fuser {0}) and let it end".format(self._path("lock")),
                    )
                time.sleep(0.1)
            yield

    def stage_all(self) -> t.Dict[str, "_Staged"]:
        """Stage every order, or none: what was staged before a failure is taken away again."""
        self.empty_staging()
        if any(order.tree for order in self.orders.tools):
            self._refuse_noexec()
        staged = {}  # type: t.Dict[str, _Staged]
        try:
            for order in self.orders.tools:
                if order.tree:
                    with _tool_named(order.tool):
                        staged[order.tool] = self.stage(order)
        except BaseException:
            self.empty_staging()
            for order in self.orders.tools:
                if order.tool in staged and not order.reuse:
                    _delete(self._path("store", order.tool, staged[order.tool].tree))
            raise
        set_labels([self._path("store", tool) for tool in sorted(staged)])
        return staged

    def _refuse_noexec(self) -> None:
        """Raise ReleaseError where nothing can be started, however well it suits the host. Only Linux tells."""
        if os.statvfs(self.staging).f_flag & getattr(os, "ST_NOEXEC", 0):
            raise ReleaseError(
                "no program can be started below {0}".format(self.root),
                expected="a file system that lets programs start",
                found="one that is mounted noexec",
                fix="choose another root, or mount it without noexec",
            )

    def empty_staging(self) -> None:
        for name in os.listdir(self.staging):
            _delete(os.path.join(self.staging, name))

    def refuse_stale_orders(self) -> None:
        for order in self.orders.tools:
            active = self.active(order.tool)
            if active != order.expects:
                raise StaleError(
                    "{0} changed on the host while this run was planned".format(order.tool),
                    expected=order.expects or "no active version",
                    found=active or "no active version",
                    fix="run again",
                )
            for name in order.programs:
                self._refuse_foreign(order, name)

    def active(self, tool: str) -> t.Optional[str]:
        """Return the name of the active tree of *tool*, None if none is."""
        try:
            return os.path.basename(os.readlink(self._path("current", tool)))
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.EINVAL):
                return None
            raise

    def stage(self, order: ToolOrder) -> _Staged:
        """Return the complete, checked tree for *order*: the kept one, or a new one from its asset."""
        if order.reuse:
            tree = self._path("store", order.tool, order.reuse)
            self._refuse_changed_tree(order, tree)
            self._write_receipt(tree, order)
            self._own(tree, order)
            self._run_check(order, tree)
            return _Staged(order.reuse, 0)
        folder = tempfile.mkdtemp(prefix=order.tool + ".", dir=self.staging)
        tree = os.path.join(folder, "tree")
        os.makedirs(os.path.join(tree, "libexec"))
        self._fetch(order, os.path.join(folder, "asset"), tree)
        self._link_programs(order, tree)
        self._write_receipt(tree, order)
        self._own(tree, order)
        self._run_check(order, tree)
        name = self._free_name(order)
        _sync_folders(tree)
        os.makedirs(self._path("store", order.tool), exist_ok=True)
        os.rename(tree, self._path("store", order.tool, name))
        _sync(self._path("store", order.tool))
        return _Staged(name, order.asset.size if order.asset else 0)

    def activate(self, order: ToolOrder, tree: str) -> t.Dict[str, str]:
        """Switch *order*'s tool to *tree*. Links to new programs come before the switch, so that all appear with it."""
        for name in sorted(set(order.programs) - set(order.adopt)):
            self._link(order, name)
        _replace_link(os.path.join("..", "store", order.tool, tree), self._path("current", order.tool))
        _sync(self._path("current"))
        backups = {}
        for name in sorted(order.adopt):
            backup = self._set_aside(order, name)
            if backup:
                backups[self._program(name)] = backup
            self._link(order, name)
        self._unlink(order)
        _sync(self.orders.bin_dir)
        return backups

    def links(self) -> t.List[str]:
        """Return where the links of all tools are that are now as ordered."""
        tools = [order for order in self.orders.tools if order.tree]
        programs = [self._program(name) for order in tools for name in sorted(order.programs)]
        return [self._path("current", order.tool) for order in tools] + programs

    def remove(self, order: ToolOrder) -> t.Dict[str, str]:
        """Take *order*'s tool away: one unlink(2) stops all its programs, the rest is tidying."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path("current", order.tool))
        _sync(self._path("current"))
        self._unlink(order)
        _sync(self.orders.bin_dir)
        return {}

    def prune(self, order: ToolOrder) -> None:
        folder = self._path("store", order.tool)
        for tree in order.prune:
            doomed = os.path.join(folder, tree)
            if os.path.isdir(doomed) and self.active(order.tool) != tree:
                # Out of the store in one step: a half-deleted tree must never look like a kept version.
                os.rename(doomed, tempfile.mkdtemp(dir=self.staging))
        if order.tree is None and os.path.isdir(folder) and not os.listdir(folder):
            os.rmdir(folder)
        self.empty_staging()

    def seal(self) -> None:
        """Write down what is active now, in the words of the probe's own shell text, for its one-word answer."""
        seen = subprocess.run(  # pylint: disable=ansible-bad-function
            ["/bin/sh", "-c", self.orders.fingerprint, "seal", self.root, self.orders.bin_dir],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=False,
        ).stdout
        tools = sorted(name for name in os.listdir(self._path("current")) if not name.startswith("."))
        trees = " ".join("{0}/{1}".format(tool, self.active(tool)) for tool in tools)
        # Of what nobody looked into, the seal says nothing: else it would declare good what somebody changed.
        for tool in set(tools) - set(self.orders.sealed):
            is_of_tool = re.compile(" {0}(/|$)".format(re.escape(tool)).encode("utf-8"))
            seen = b"".join(line for line in seen.splitlines(True) if not is_of_tool.search(line))
        head = "{0} {1}\n{2}\n".format(SEAL_VERSION, self.orders.wanted, trees)
        _write(self._path("seal"), [head.encode("utf-8", "surrogateescape"), seen], self.staging)

    def _path(self, *parts: str) -> str:
        return os.path.join(self.root, *parts)

    def _program(self, name: str) -> str:
        return os.path.join(self.orders.bin_dir, name)

    def _is_ours(self, path: str) -> bool:
        return os.path.islink(path) and os.readlink(path).startswith(self._path("current") + os.sep)

    def _refuse_foreign(self, order: ToolOrder, name: str) -> None:
        path = self._program(name)
        if not os.path.lexists(path) or self._is_ours(path) or name in order.adopt:
            return
        raise StaleError(
            "{0} is in the way of {1}'s program {2}".format(path, order.tool, name),
            found="a file that pinned.release did not install",
            fix="remove it, or set adopt: true to keep a backup of it and take its place",
        )

    def _fetch(self, order: ToolOrder, path: str, tree: str) -> None:
        asset = order.asset
        if asset is None:
            raise StaleError("{0}: there is nothing to download or to go back to".format(order.tool), fix="run again")
        download(asset.url, path, asset.sha256, asset.size)
        single = sorted(order.programs)[0]
        executables = {program.path for program in order.programs.values()}
        content = os.path.join(tree, "libexec")
        unpacked = unpack(path, asset.format, single, content, asset.unpacked_size, executables, asset.name)
        os.unlink(path)
        digests = {file.path: file.sha256 for file in unpacked if file.path in executables}
        for program in sorted(order.programs.values()):
            if digests.get(program.path) != program.sha256:
                raise ReleaseError(
                    "{0}: {1} of {2} is not the program that was locked".format(order.tool, program.path, asset.name),
                    expected="sha256 {0}".format(program.sha256),
                    found="sha256 {0}".format(digests[program.path]) if program.path in digests else "no such file",
                    fix="make the lock file again with pinned.release.lock",
                )
        # Line by line: an archive may have many thousands of files.
        lines = ("{0}  libexec/{1}\n".format(file.sha256, file.path).encode("utf-8") for file in unpacked)
        _write(os.path.join(tree, "files.sha256"), lines, tree)

    def _link_programs(self, order: ToolOrder, tree: str) -> None:
        os.mkdir(os.path.join(tree, "bin"))
        for name, program in order.programs.items():
            os.symlink(os.path.join("..", "libexec", program.path), os.path.join(tree, "bin", name))

    def _own(self, tree: str, order: ToolOrder) -> None:
        """Give *tree* the owner, group and mode that were asked for.

        The user whom a kept tree belongs to may have put anything there: no link is followed on the way.
        """
        programs = {os.path.join(tree, "libexec", program.path) for program in order.programs.values()}
        for folder, folders, files, inside in os.fwalk(tree):
            os.fchown(inside, self.uid, self.gid)
            for name in folders + files:
                path = os.path.join(folder, name)
                self._own_entry(name, inside, path, self.orders.mode if path in programs else None)

    def _own_entry(self, name: str, inside: int, path: str, program_mode: t.Optional[int]) -> None:
        mode = os.stat(name, dir_fd=inside, follow_symlinks=False).st_mode
        if stat.S_ISLNK(mode):
            os.chown(name, self.uid, self.gid, dir_fd=inside, follow_symlinks=False)
        if not stat.S_ISREG(mode):
            return
        descriptor = os.open(name, os.O_RDONLY | _SAFE_FLAGS, dir_fd=inside)
        try:
            if os.fstat(descriptor).st_nlink != 1:
                raise ReleaseError(
                    "{0} has a second name elsewhere, so it may be another file than was installed".format(path),
                    fix="find out who linked it, and remove it",
                )
            os.fchown(descriptor, self.uid, self.gid)
            if program_mode is not None:
                # After chown(2), which may clear bits of the mode.
                os.fchmod(descriptor, program_mode)
        finally:
            os.close(descriptor)

    def _write_receipt(self, tree: str, order: ToolOrder) -> None:
        installed = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        text = json.dumps(dict(order.receipt, installed=installed), sort_keys=True) + "\n"
        _write(os.path.join(tree, "receipt.json"), [text.encode("ascii")], tree)

    def _refuse_changed_tree(self, order: ToolOrder, tree: str) -> None:
        for program in order.programs.values():
            path = os.path.join(tree, "libexec", program.path)
            if not os.path.isfile(path) or _sha256(path) != program.sha256:
                raise StaleError("the kept tree {0} is no longer whole".format(tree), fix="run again")

    def _run_check(self, order: ToolOrder, tree: str) -> None:
        if not order.check:
            return
        programs = os.path.join(tree, "bin")
        program = os.path.join(programs, order.check[0])
        is_own = os.path.lexists(program)
        command = [program if is_own else order.check[0], *order.check[1:]]
        environment = dict(os.environ, PATH=programs + os.pathsep + CHECK_PATH)
        shown = " ".join(order.check)
        try:
            ended = subprocess.run(  # pylint: disable=ansible-bad-function
                command,
                env=environment,
                cwd=tree,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=CHECK_TIMEOUT_S,
                check=False,
            )
        except OSError as error:
            fix = "if {0} is mounted noexec, choose another root".format(self.root)
            if error.errno == errno.ENOENT and not is_own:
                own = ", ".join(sorted(order.programs))
                fix = "begin it with a program of {0} ({1}), or with one in {2}".format(order.tool, own, CHECK_PATH)
            raise ReleaseError(
                "{0}: its check could not be started: {1}".format(order.tool, shown),
                expected="a program that starts on this host",
                found=os.strerror(error.errno or 0),
                fix=fix,
            )
        except subprocess.TimeoutExpired:
            raise ReleaseError(
                "{0}: its check did not end: {1}".format(order.tool, shown),
                expected="an end within {0} seconds".format(CHECK_TIMEOUT_S),
                fix="choose a check that ends by itself, such as --version",
            )
        if ended.returncode != 0:
            output = ended.stdout.decode("utf-8", "replace").strip()
            raise ReleaseError(
                "{0}: its check failed: {1}".format(order.tool, shown),
                expected="exit status 0",
                found="exit status {0}: {1}".format(ended.returncode, output[-500:] or "it printed nothing"),
                fix="nothing was activated; run the command by hand on the host to see why",
            )

    def _free_name(self, order: ToolOrder) -> str:
        """Return a name for the new tree. A tree that must be replaced stays as it is until the switch."""
        name = str(order.tree)
        count = 0
        while os.path.lexists(self._path("store", order.tool, name)):
            count += 1
            name = "{0}.{1}".format(order.tree, count)
        return name

    def _link(self, order: ToolOrder, name: str) -> None:
        target = self._path("current", order.tool, "bin", name)
        path = self._program(name)
        if not (os.path.islink(path) and os.readlink(path) == target):
            _replace_link(target, path)

    def _unlink(self, order: ToolOrder) -> None:
        prefix = self._path("current", order.tool) + os.sep
        for name in order.unlink:
            path = self._program(name)
            if os.path.islink(path) and os.readlink(path).startswith(prefix):
                os.unlink(path)

    def _set_aside(self, order: ToolOrder, name: str) -> t.Optional[str]:
        """Keep a backup of the foreign file at *name*'s place; the file itself stays until the link replaces it."""
        path = self._program(name)
        if not os.path.lexists(path) or self._is_ours(path):
            return None
        backup = "{0}.{1}.{2}~".format(path, os.getpid(), time.strftime("%Y-%m-%d@%H:%M:%S"))
        while os.path.lexists(backup):
            backup += "~"
        if os.path.islink(path):
            os.symlink(os.readlink(path), backup)
        else:
            try:
                os.link(path, backup)
            except OSError:
                # A folder, somebody else's file, or no hard links here: then its place is empty for a moment.
                os.rename(path, backup)
        return backup


def _make_folder(folder: str) -> t.Optional[str]:
    """Make *folder*, and those above it that are missing; return the topmost that was made, None if it was there."""
    made = None
    above = folder
    while not os.path.lexists(above):
        made, above = above, os.path.dirname(above)
    os.makedirs(folder, 0o755, exist_ok=True)
    return made


def _refuse_others(folder: str, found: os.stat_result) -> None:
    """Refuse a *folder* of the store in which somebody else could exchange what lies there."""
    if not stat.S_ISDIR(found.st_mode):
        raise ReleaseError(
            "{0} is no folder, so what lies there proves nothing".format(folder),
            found="a link" if stat.S_ISLNK(found.st_mode) else "a file",
            fix="remove it, or choose another root",
        )
    if found.st_uid not in (0, os.geteuid()):
        raise ReleaseError(
            "{0} belongs to another user, so what lies there proves nothing".format(folder),
            expected="a folder of root's, or of the user {0} who runs".format(os.geteuid()),
            found="one of the user {0}".format(found.st_uid),
            fix="run as that user (become_user), chown it, or choose another root",
        )
    if found.st_mode & stat.S_IWOTH:
        raise ReleaseError(
            "{0} can be written by everyone, so what lies there proves nothing".format(folder),
            found="mode {0:04o}".format(stat.S_IMODE(found.st_mode)),
            fix="chmod o-w {0}, or choose another root".format(folder),
        )


def _number_of(kind: str, name: t.Optional[str], look_up: t.Callable[[str], int]) -> int:
    """Return the number of a user or group; -1, which chown(2) leaves alone, where none is asked for."""
    if name is None:
        return -1
    try:
        return int(name) if name.isdigit() else look_up(name)
    except KeyError:
        raise ReleaseError("this host has no {0} {1}".format(kind, name), fix="create it first, or mend the option")


def _replace_link(target: str, path: str) -> None:
    """Make *path* a symbolic link to *target* in one step, whatever link or file was there."""
    folder, name = os.path.split(path)
    beside = os.path.join(folder, ".{0}.pinned-release".format(name))
    with contextlib.suppress(FileNotFoundError):
        os.unlink(beside)
    os.symlink(target, beside)
    os.rename(beside, path)


def _write(path: str, content: t.Iterable[bytes], beside: str) -> None:
    """Replace *path* by *content* in one step; the new file grows in the folder *beside*."""
    descriptor, name = tempfile.mkstemp(dir=beside)
    with os.fdopen(descriptor, "wb") as handle:
        handle.writelines(content)
        handle.flush()
        os.fchmod(handle.fileno(), 0o644)
        os.fsync(handle.fileno())
    os.rename(name, path)


def _sync(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folders(tree: str) -> None:
    for folder, _folders, _files in os.walk(tree):
        _sync(folder)


def _sha256(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as handle:
        for block in iter(lambda: handle.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def _delete(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        os.unlink(path)
