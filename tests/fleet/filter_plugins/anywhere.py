# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which combinations of connection, shell and become does anywhere.yml try, and how is the outcome shown?"""

from __future__ import annotations

import shutil
import typing as t
from collections.abc import Callable, Iterator, Mapping, Sequence

Variables = dict[str, t.Any]

PASSWORD = "correct horse"
LOGIN_SHELLS = ("dash", "bash", "busybox", "ksh93", "mksh", "yash", "zsh", "tcsh", "fish", "chatty", "talkative")
#: What runs commands on the host, where that is not /bin/sh.
EXECUTABLES = ("dash", "bash", "busybox", "ksh93", "mksh", "yash", "zsh")
#: The columns of the table: how one becomes whom.
BECOME: dict[str, Variables] = {
    "nobody else": {},
    "sudo": {"ansible_become": True, "ansible_become_method": "ansible.builtin.sudo"},
    "su": {
        "ansible_become": True,
        "ansible_become_method": "ansible.builtin.su",
        "ansible_become_password": PASSWORD,
    },
    "doas": {"ansible_become": True, "ansible_become_method": "community.general.doas"},
    "sudo to a user": {
        "ansible_become": True,
        "ansible_become_method": "ansible.builtin.sudo",
        "ansible_become_user": "app",
    },
}
#: What each of the users with rules of their own needs: a terminal, a password.
ASKED = {"ansible_become_password": PASSWORD}
WAYS = {True: "stdin", False: "file"}
#: What must be refused, by shell and way (su and doas go by file), with these words.
REFUSED = {
    ("requiretty", "stdin"): "its sudo wants a terminal (requiretty)",
    ("login talkative", "file"): "prints text after each command",
    ("without acl", "file"): "Failed to set permissions on the temporary files",
}
PAGE = """# Connections, shells and ways to become somebody

`tests/fleet/anywhere` installs a tool in each of these ways, hashes all of its files (`integrity: full`), upgrades it,
starts it, finds nothing to do and removes it; then it writes this page. Orders and files go through the connection's
standard input where Ansible would pipeline a module, and otherwise lie in its `remote_tmp` meanwhile. With `su` and
`doas`, which ask for a terminal, Ansible never pipelines (with `doas`: from ansible-core 2.19 on).

- *login x*: sshd hands commands to the login shell x. *sh is x*: `ansible_shell_executable` is the shell x by the name
  of `sh`, as where x is the system's. For *local* it is x by its own name.
- *all by x*: `ansible_shell_executable` is a shell that is none of POSIX, and `ansible_shell_type` says which.
- *chatty* greets with lines that end in CRLF, on both streams. *talkative* also says good-bye: Ansible takes the last
  line for the name of its temporary folder, so what needs one is refused, with the reason.
- *requiretty*: sudo wants a terminal, and pipelining leaves none. The error says to set `ansible_pipelining: false`.
- *sudo -i*: `ansible_become_flags` has `-i`, so that the login shell of who one becomes reads the command as well. It
  must be a POSIX shell: tcsh and fish stumble over the question there.
- *without acl*: a user becomes another user, on a host without `setfacl`. Ansible refuses to let the other read its
  files; pipelining needs none.
- *docker* is Docker's own client and connection, but podman's engine. For *docker* and *nsenter*, give no
  `ansible_become_password` where none is asked for: these connection plug-ins then wait for a prompt in vain, or drop
  what came in one piece with the sign that `su` succeeded.

The test machines cannot have these, so they were not tried: Docker's own engine, LXC, the BSDs, and macOS, whose `sh`
is bash 3.2. The nearest were: a `bash` called `sh`, which keeps to POSIX, and dash, which is close to the `sh` of the
BSDs. The old `csh` of BSD cannot be a login shell: its words end at 8191 bytes, and the question is longer.
"""


def combinations(containers: Mapping[str, Variables], work: str) -> list[Variables]:
    """Return the variables of one inventory host for each combination.

    *containers* are the variables of hosts that are not reached by ssh, by their names; *work* is a folder here.
    """
    found = list(by_ssh())
    for name, variables in containers.items():
        for method, more in BECOME.items():
            # It is root who becomes somebody here, and root is asked for no password.
            more = {key: value for key, value in more.items() if key != "ansible_become_password"}
            found += [cell(name, "sh", method, way, {**variables, **more}) for way in ways(method)]
    for shell in EXECUTABLES:
        if path := shutil.which(shell):
            more = {"ansible_connection": "ansible.builtin.local", "ansible_shell_executable": path, "place": work}
            found += [cell("local", shell, "nobody else", way, more) for way in WAYS if shell != "busybox"]
    return found


def by_ssh() -> Iterator[Variables]:
    """Yield the combinations that go over ssh."""
    for shell in LOGIN_SHELLS:
        for method in BECOME if shell in ("bash", "tcsh", "chatty") else ("nobody else", "sudo"):
            for way in ways(method):
                yield cell("ssh", f"login {shell}", method, way, {**ssh(shell), **BECOME[method]})
    for shell in EXECUTABLES:
        for method in ("nobody else", "sudo"):
            more = {"ansible_shell_executable": f"/opt/shells/{shell}/sh", **BECOME[method]}
            yield cell("ssh", f"sh is {shell}", method, True, {**ssh("bash"), **more})
    for family, shell in (("fish", "fish"), ("csh", "tcsh")):
        more = {"ansible_shell_type": f"ansible.posix.{family}", "ansible_shell_executable": f"/usr/bin/{shell}"}
        for way in WAYS:
            yield cell("ssh", f"all by {shell}", "nobody else", way, {**ssh(shell), **more})
    for way in WAYS:
        more = {**ssh("tcsh"), "ansible_shell_type": "ansible.posix.csh"}
        yield cell("ssh", "ansible_shell_type: csh", "sudo", way, {**more, **BECOME["sudo"]})
        yield cell("ssh", "a password is asked for", "sudo", way, {**ssh("asked"), **BECOME["sudo"], **ASKED})
        login = {"ansible_become_flags": "-H -S -n -i"}
        yield cell("ssh", "sudo -i", "sudo", way, {**ssh("bash"), **BECOME["sudo"], **login})
    for way in ways("doas"):
        yield cell("ssh", "a password is asked for", "doas", way, {**ssh("asked"), **BECOME["doas"], **ASKED})
    for way in WAYS:
        yield cell("ssh", "requiretty", "sudo", way, {**ssh("ttys"), **BECOME["sudo"]})
        to_nobody = {**BECOME["sudo to a user"], "ansible_become_user": "games"}
        deploy = {**ssh("deploy"), "ansible_host": "bookworm-amd64"}
        yield cell("ssh", "without acl", "sudo to a user", way, {**deploy, **to_nobody, "place": "/tmp"})


def ways(method: str) -> Sequence[bool]:
    """Return with what pipelining *method* is tried: these ask for a terminal, so Ansible does not do it with them."""
    return [True] if method in ("su", "doas") else list(WAYS)


def ssh(user: str) -> Variables:
    return {"ansible_connection": "ansible.builtin.ssh", "ansible_host": "shells", "ansible_user": user}


def cell(connection: str, shell: str, become: str, is_pipelined: bool, variables: Variables) -> Variables:
    """Return *variables* with the name of the combination and its place in the table."""
    way = WAYS[is_pipelined and become not in ("su", "doas")]
    words = (connection, shell, become, way)
    name = "-".join("".join(c if c.isalnum() else "-" for c in word) for word in words)
    shown = {"connection": connection, "shell": shell, "become": become, "way": way}
    return {"name": name, "variables": {"shown": shown, "ansible_pipelining": is_pipelined, **variables}}


def findings(outcomes: Sequence[Mapping[str, t.Any]]) -> list[str]:
    """Return what did not go as it should: what failed, less what must be refused, and what must be and was not."""
    found = [f"{len([one for one in outcomes if not one])} combinations have no outcome"] if not all(outcomes) else []
    for outcome in filter(None, outcomes):
        shown = outcome["shown"]
        must_be = REFUSED.get((shown["shell"], shown["way"]), "")
        if bool(must_be) != bool(outcome["failed"]) or must_be not in outcome["failed"]:
            found.append(f"{', '.join(shown.values())}: {outcome['failed'] or 'worked'}")
    return found


def document(outcomes: Sequence[Mapping[str, t.Any]]) -> str:
    """Return the page for people: a row for each connection and shell, a column for each way to become somebody."""
    by_row: dict[tuple[str, str], dict[str, list[str]]] = {}
    for outcome in filter(None, outcomes):
        shown = outcome["shown"]
        row = by_row.setdefault((shown["connection"], shown["shell"]), {})
        row.setdefault(shown["become"], []).append(f"{shown['way']} refused" if outcome["failed"] else shown["way"])
    lines = [PAGE, f"| connection | shell | {' | '.join(BECOME)} |", "| --- | --- |" + " --- |" * len(BECOME)]
    for (connection, shell), row in by_row.items():
        cells = [", ".join(row.get(method, ())) or "-" for method in BECOME]
        lines.append(f"| {connection} | {shell} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


class FilterModule:
    """Offers the filters to Ansible."""

    def filters(self) -> dict[str, Callable[..., object]]:
        """Return the filters by their names."""
        return {"combinations": combinations, "anywhere_document": document, "anywhere_findings": findings}
