# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What options does each verb take? The argument specs of the actions."""

import typing as t

Spec = t.Dict[str, t.Any]

PLACE = {
    "root": {"type": "str"},
    "bin_dir": {"type": "str"},
}  # type: Spec
INTEGRITY = {
    "integrity": {"type": "str", "choices": ["quick", "full"], "default": "quick"},
}  # type: Spec

ASSUME = dict(
    {name: {"type": "str"} for name in ("abi", "libc", "libc_version", "cpu", "os_version")},
    fpu={"type": "str", "choices": ["none", "vfp", "vfpd32", "neon"]},
    page_size={"type": "int"},
    **{name: {"type": "list", "elements": "str"} for name in ("libraries", "loaders", "emulates")},
)  # type: Spec

CHOICE = {
    "prefer": {"type": "str", "choices": ["native", "static"], "default": "native"},
    "assume": {"type": "dict", "options": ASSUME},
    "platform": {"type": "str"},
}  # type: Spec

SIGNED = {
    "lock_signers": {
        "type": "dict",
        "options": {
            "keys": {"type": "list", "elements": "str", "required": True, "no_log": False},
            "threshold": {"type": "int"},
        },
    },
}  # type: Spec

MIRRORS = {
    "mirrors": {
        "type": "list",
        "elements": "dict",
        "options": {
            "prefix": {"type": "str", "required": True},
            "to": {"type": "str"},
            "username": {"type": "str"},
            "password": {"type": "str", "no_log": True},
            "headers": {"type": "dict", "no_log": True},
            "upstream": {"type": "bool", "default": True},
        },
    },
}  # type: Spec

TOOLS = dict(
    PLACE,
    lockfile={"type": "path"},
    tools={"type": "list", "elements": "str"},
    state={"type": "str", "choices": ["present", "absent"], "default": "present"},
    exact={"type": "bool", "default": False},
    owner={"type": "str"},
    group={"type": "str"},
    mode={"type": "raw", "default": "0755"},
    keep={"type": "int", "default": 1},
    check={"type": "dict", "default": {}},
    capabilities={"type": "dict", "default": {}},
    adopt={"type": "bool", "default": False},
    unsupported={"type": "str", "choices": ["fail", "skip"], "default": "fail"},
    layouts={"type": "list", "elements": "str", "choices": ["modulefiles", "tool_cache"], "default": []},
    fetch_from={"type": "str", "choices": ["auto", "host", "controller"], "default": "auto"},
    token={"type": "str", "no_log": True},
    token_host={"type": "str"},
    bin={"type": "str", "choices": ["link", "copy"], "default": "link"},
    notify={"type": "dict", "default": {}},
    _variables={"type": "bool", "default": False},
    _brief={"type": "bool", "default": False},
    **dict(CHOICE, **dict(INTEGRITY, **dict(SIGNED, **MIRRORS))),
)  # type: Spec

TOOLS_INFO = dict(
    PLACE,
    lockfile={"type": "path"},
    tools={"type": "list", "elements": "str"},
    owner={"type": "str"},
    group={"type": "str"},
    mode={"type": "raw"},
    capabilities={"type": "dict", "default": {}},
    _variables={"type": "bool", "default": False},
    _brief={"type": "bool", "default": False},
    **dict(CHOICE, **dict(INTEGRITY, **SIGNED)),
)  # type: Spec

TARGET_FACTS = {"lockfile": {"type": "path"}}  # type: Spec

SURVEY_HOST = {"lockfile": {"type": "path"}, "_brief": {"type": "bool", "default": False}}  # type: Spec

SURVEY = dict(
    SIGNED,
    lockfile={"type": "path"},
    to={"type": "path"},
    result={"type": "str", "default": "survey_answer"},
)  # type: Spec

LOCK = {
    **MIRRORS,
    "manifest": {"type": "path", "default": "releases.yml"},
    "lockfile": {"type": "path"},
    "upgrade": {"type": "list", "elements": "str", "default": []},
    "frozen": {"type": "bool", "default": False},
    "verify": {"type": "bool", "default": False},
    "token": {"type": "str", "no_log": True},
    "import": {"type": "list", "elements": "path", "default": []},
    "export": {"type": "dict", "options": {"hermeto": {"type": "path"}, "multitool": {"type": "path"}}},
    "trust_root": {"type": "list", "elements": "path", "default": []},
}  # type: Spec

MIRROR = dict(
    SIGNED,
    dest={"type": "path"},
    to={"type": "str"},
    bundle={"type": "path"},
    since={"type": "list", "elements": "path", "default": []},
    controller={"type": "bool", "default": True},
    lockfile={"type": "list", "elements": "path", "required": True},
    prune={"type": "bool", "default": False},
    token={"type": "str", "no_log": True},
    token_host={"type": "str"},
    **MIRRORS,
)  # type: Spec

UNBUNDLE = dict(
    SIGNED,
    bundle={"type": "path", "required": True},
    dest={"type": "path", "required": True},
)  # type: Spec

RECORDS = {
    "log": {"type": "path"},
    "log_key": {"type": "str", "no_log": False},
}  # type: Spec

RECORD = dict(
    SIGNED,
    lockfile={"type": "path", "required": True},
    result={"type": "str", "default": "tools_result"},
    hosts={"type": "list", "elements": "str"},
    started={"type": "str"},
    **dict(RECORDS, log={"type": "path", "required": True}),
)  # type: Spec

VERIFY_LOG = {
    "log": {"type": "path", "required": True},
    "heads": {"type": "list", "elements": "str", "default": []},
    "reports": {"type": "list", "elements": "path", "default": []},
    "signers": {"type": "list", "elements": "str", "default": []},
}  # type: Spec

ASK = {
    "reports": {"type": "list", "elements": "path", "default": ["reports/report.json"]},
    "log": {"type": "path"},
    "lockfile": {"type": "path", "default": "releases.lock.json"},
    "to": {"type": "path"},
    "digest": {"type": "str"},
    "tool": {"type": "str"},
    "below": {"type": "str"},
    "source": {"type": "str"},
    "component": {"type": "str"},
    "never_converged": {"type": "bool", "default": False},
    "host": {"type": "str"},
    "day": {"type": "str"},
    "installed": {"type": "str"},
}  # type: Spec

SEARCH = {
    "tool": {"type": "str", "required": True},
    "catalogue": {"type": "list", "elements": "path", "default": []},
}  # type: Spec

TELL = {"lines": {"type": "list", "elements": "str", "required": True}}  # type: Spec

ATTEST = {
    "manifest": {"type": "path", "default": "releases.yml"},
    "lockfile": {"type": "path"},
    "key": {"type": "str", "required": True, "no_log": False},
}  # type: Spec

REPORT = dict(
    SIGNED,
    dest={"type": "path", "required": True},
    lockfile={"type": "path", "default": "releases.lock.json"},
    result={"type": "str", "default": "tools_audit"},
    hosts={"type": "list", "elements": "str"},
    sbom={"type": "list", "elements": "str", "choices": ["1.6", "1.7"], "default": ["1.6", "1.7"]},
    sbom_per_host={"type": "bool", "default": False},
    advisories={"type": "path"},
    vex={"type": "list", "elements": "path", "default": []},
    allow_lists={"type": "bool", "default": False},
    _beforehand={"type": "bool", "default": False},
    **RECORDS,
)  # type: Spec

PREFLIGHT = {
    "variables": {"type": "list", "elements": "str", "required": True},
    "required": {"type": "list", "elements": "str", "default": []},
    "roles": {"type": "list", "elements": "str", "choices": ["tools", "mirror"], "default": []},
    "target": {"type": "raw"},
    "whole_inventory": {"type": "bool", "default": False},
    "batch": {"type": "raw"},
    "switches": {"type": "dict", "default": {}},
    "lockfile": {"type": "path"},
    **SIGNED,
    **RECORDS,
}  # type: Spec
