# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is a host told to do, and what does it answer? Value types that cross the wire as JSON; used on both sides.

Names in orders become paths that a host writes and deletes, often as root. Part of them comes from what a host answered
before. So a host holds them to their grammar, whoever sent them.
"""

import re
import typing as t

from ansible_collections.pinned.release.plugins.module_utils import capabilities
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.layouts import LAYOUT
from ansible_collections.pinned.release.plugins.module_utils.names import (
    FILE,
    FOLDER,
    INNER_PATH,
    NAME,
    SHA256,
    TREE,
    is_link,
    nested,
)

#: Bits that no installed program has: set-id, sticky, write for others than its owner. And those that each one has.
FORBIDDEN_MODE, NEEDED_MODE = 0o7022, 0o500

_ACCOUNT = re.compile(r"[^:\x00-\x1f\x7f]+\Z")
_WORD = re.compile(r"[0-9A-Za-z]{1,128}\Z")
_ARGUMENT = re.compile(r"[^\x00]*\Z")
#: RFC 9110, "Field Names" and "Field Values".
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}\Z")
_HEADER_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?\Z")

#: An asset has no more addresses than this, mirrors and upstream together.
MOST_URLS = 20

#: What stands in bin_dir for a program: a link to it, or a file that is a copy of it.
LINK, COPY = "link", "copy"

Test = t.Callable[[t.Any], bool]


class Program(t.NamedTuple):
    """One program of an asset: its path inside, the digest of its bytes, its size in bytes."""

    path: str
    sha256: str
    size: int


class Download(t.NamedTuple):
    """One asset to fetch and unpack; sizes in bytes.

    urls      where it may be had, mirrors and upstream, in the order in which they are tried
    headers   the secrets of a mirror, by its address among urls: names and values
    pushed    whether its bytes come with the orders (pushed.py); then no address is asked
    pushable  whether the controller pushes it in another run, if nobody answers this host: then it gives up early
    """

    name: str
    urls: t.List[str]
    size: int
    sha256: str
    format: str
    unpacked_size: int
    headers: t.Dict[str, t.Dict[str, str]] = {}
    pushed: bool = False
    pushable: bool = False


class ToolOrder(t.NamedTuple):
    """What to do with one tool.

    tool          its name
    expects       the tree that was active when the host was asked, None if none was: else the order is stale
    tree          name for the new tree in the store; None removes the tool
    tree_sha256   the tree digest that the lock file pins (see tree_listing.py); None where the tool is removed
    reuse         the kept tree to go back to instead of downloading
    asset         what to download where nothing is reused
    programs      the links to have in bin_dir, by name
    files         the links to have below the folder that bin_dir lies in: their paths there, and those inside the asset
    bin           what stands in bin_dir for a program: a link, or a copy (see outside.py)
    wrapped       programs that look for files beside ``$0``: in place of a link to one, there is a script
    adopt         those of the links, of both kinds, at whose place a foreign file may be set aside
    unlink        links and copies to take away once the new tree is active
    check         command that must succeed from staging
    capabilities  of programs, by name, as capabilities.py writes them; the others shall have none
    receipt       what the tree's receipt shall say; the host adds when
    prune         trees to delete at the end
    """

    tool: str
    expects: t.Optional[str] = None
    tree: t.Optional[str] = None
    tree_sha256: t.Optional[str] = None
    reuse: t.Optional[str] = None
    asset: t.Optional[Download] = None
    programs: t.Dict[str, Program] = {}
    files: t.Dict[str, str] = {}
    bin: str = LINK
    wrapped: t.List[str] = []
    adopt: t.List[str] = []
    unlink: t.List[str] = []
    check: t.List[str] = []
    capabilities: t.Dict[str, str] = {}
    receipt: t.Dict[str, t.Any] = {}
    prune: t.List[str] = []

    @property
    def links(self) -> t.List[str]:
        """The names of all links to have: programs in bin_dir, and paths below the folder that it lies in."""
        return sorted([*self.programs, *self.files])


class Orders(t.NamedTuple):
    """All that a host is told in one run.

    root, bin_dir   absolute paths
    wanted          digest of the state asked for, by which the seal is found again
    terms           digest of what decides how a tree itself looks: another task may have asked for other looks
    asked, absent   the tools that shall be there, and those that shall not
    exact           whether there shall be no others
    fingerprint     shell text that prints the fingerprint of all that is active; the same that the probe runs
    owner           the account that the programs are for: it runs the checks, its primary group is the default of group
    group           of what is installed; None leaves it to the user who runs
    mode            of the programs
    shared          whether the tree is for other hosts than this one: its links are relative, its programs start there
    layouts         of layouts.py, that the tools shall be found by as well
    sealed          tools that are, or will be, as they were installed: only of these the seal may speak
    """

    root: str
    bin_dir: str
    wanted: str
    fingerprint: str
    terms: str = "none"
    owner: t.Optional[str] = None
    group: t.Optional[str] = None
    mode: int = 0o755
    asked: t.List[str] = []
    absent: t.List[str] = []
    exact: bool = False
    shared: bool = False
    layouts: t.List[str] = []
    sealed: t.List[str] = []
    tools: t.List[ToolOrder] = []


def to_json(orders: Orders) -> t.Dict[str, t.Any]:
    """Return *orders* as plain dictionaries and lists."""
    document = orders._asdict()  # type: t.Dict[str, t.Any]
    document["tools"] = [_tool_to_json(order) for order in orders.tools]
    return dict(document)


def from_json(document: t.Dict[str, t.Any]) -> Orders:
    """Return the orders that to_json wrote. Raises ReleaseError for what no plan of this collection orders."""
    try:
        orders = Orders(**dict(document, tools=[_tool_from_json(order) for order in document["tools"]]))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _misshapen("their fields", "those of this version of the collection", error) from error
    _check("", orders, _ORDERS)
    for order in orders.tools:
        _check_tool(order)
    if len({order.tool for order in orders.tools}) != len(orders.tools):
        raise _misshapen("tools", "one order for each tool", [order.tool for order in orders.tools])
    return orders


def _tool_to_json(order: ToolOrder) -> t.Dict[str, t.Any]:
    document = dict(order._asdict())
    document["asset"] = dict(order.asset._asdict()) if order.asset else None
    document["programs"] = {name: dict(program._asdict()) for name, program in order.programs.items()}
    return document


def _tool_from_json(document: t.Dict[str, t.Any]) -> ToolOrder:
    asset = Download(**document["asset"]) if document["asset"] else None
    programs = {name: Program(**program) for name, program in document["programs"].items()}
    return ToolOrder(**dict(document, asset=asset, programs=programs))


def _check_tool(order: ToolOrder) -> None:
    where = "tools.{0}.".format(order.tool)
    _check(where, order, _TOOL)
    for name, program in order.programs.items():
        _check("{0}programs.{1}.".format(where, name), program, _PROGRAM)
    if order.asset:
        _check(where + "asset.", order.asset, _ASSET)
        _check_headers(where + "asset.headers", order.asset)
    if order.tree and not (order.programs and order.tree_sha256):
        raise _misshapen(where + "tree", "its programs and its digest as well", order.tree)
    if not set(order.adopt) <= set(order.links):
        raise _misshapen(where + "adopt", "some of its programs and files", order.adopt)
    if nested(order.files):
        raise _misshapen(where + "files", "no file in the place of a folder", nested(order.files))
    if not set(order.wrapped) <= set(order.programs):
        raise _misshapen(where + "wrapped", "some of its programs", order.wrapped)
    if not set(order.capabilities) <= set(order.programs):
        raise _misshapen(where + "capabilities", "some of its programs", sorted(order.capabilities))


def _check(where: str, value: t.Any, tests: t.Dict[str, t.Tuple[Test, str]]) -> None:
    for field, (is_right, expected) in tests.items():
        found = getattr(value, field)
        if not is_right(found):
            raise _misshapen(where + field, expected, found)


def _check_headers(where: str, asset: Download) -> None:
    """Raise ReleaseError for headers that cannot be sent, or to nobody. It shows none of them: they are secrets."""
    are_right = isinstance(asset.headers, dict) and all(map(_is_mapping_of_headers, asset.headers.values()))
    if not are_right:
        raise _misshapen(where, "names and values of headers, by address", "something else")
    if not set(asset.headers) <= set(asset.urls):
        raise _misshapen(where, "only addresses of the asset", "others")


def _misshapen(where: str, expected: str, found: t.Any) -> ReleaseError:
    return ReleaseError(
        "the orders for this host are not valid at {0}".format(ascii(where)[1:-1][:200]),
        expected=expected,
        found=ascii(found)[:200],
        fix="nothing was changed; look at what the host answered to the controller's question (-vvvv)",
    )


def _is_text(form: t.Pattern[str]) -> Test:
    return lambda value: isinstance(value, str) and bool(form.match(value))


def _is_number(value: t.Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_flag(value: t.Any) -> bool:
    return isinstance(value, bool)


def _is_mode(value: t.Any) -> bool:
    return _is_number(value) and not value & FORBIDDEN_MODE and value & NEEDED_MODE == NEEDED_MODE and value <= 0o777


def _or_none(test: Test) -> Test:
    return lambda value: value is None or test(value)


def _is_list_of(test: Test) -> Test:
    return lambda value: isinstance(value, (list, tuple)) and all(map(test, value))


def _is_mapping_of_capabilities(value: t.Any) -> bool:
    return isinstance(value, dict) and all(isinstance(text, str) and _is_canonical(text) for text in value.values())


def _is_canonical(text: str) -> bool:
    try:
        return capabilities.canonical(text) == text
    except ReleaseError:
        return False


def _is_mapping_of_files(value: t.Any) -> bool:
    is_mapping = isinstance(value, dict)
    return is_mapping and all(map(_is_text(FILE), value)) and all(map(_is_text(INNER_PATH), value.values()))


def _is_mapping_of_headers(value: t.Any) -> bool:
    is_mapping = isinstance(value, dict)
    return is_mapping and all(map(_is_text(_HEADER), value)) and all(map(_is_text(_HEADER_VALUE), value.values()))


def _is_link(value: t.Any) -> bool:
    return isinstance(value, str) and is_link(value)


def _is_mapping_of_names(value: t.Any) -> bool:
    return isinstance(value, dict) and all(map(_is_text(NAME), value))


_A_NAME = "names of letters, digits and . _ + -"
_A_LINK = "names of programs, or paths such as share/man/man1/uv.1"
_A_TREE = "the name of a tree: VERSION-DIGEST"
_A_FOLDER = "an absolute path without . and .. steps"
_ORDERS = {
    "root": (_is_text(FOLDER), _A_FOLDER),
    "bin_dir": (_is_text(FOLDER), _A_FOLDER),
    "wanted": (_is_text(_WORD), "a digest"),
    "terms": (_is_text(_WORD), "a digest"),
    "fingerprint": (_is_text(_ARGUMENT), "shell text"),
    "owner": (_or_none(_is_text(_ACCOUNT)), "an account"),
    "group": (_or_none(_is_text(_ACCOUNT)), "a group"),
    "mode": (_is_mode, "a mode without set-id and sticky bits, that only the owner may write"),
    "asked": (_is_list_of(_is_text(NAME)), _A_NAME),
    "absent": (_is_list_of(_is_text(NAME)), _A_NAME),
    "exact": (_is_flag, "true or false"),
    "shared": (_is_flag, "true or false"),
    "layouts": (_is_list_of(_is_text(LAYOUT)), "modulefiles, or tool_cache/ARCHITECTURE"),
    "sealed": (_is_list_of(_is_text(NAME)), _A_NAME),
}  # type: t.Dict[str, t.Tuple[Test, str]]
_TOOL = {
    "tool": (_is_text(NAME), _A_NAME),
    "expects": (_or_none(_is_text(TREE)), _A_TREE),
    "tree": (_or_none(_is_text(TREE)), _A_TREE),
    "tree_sha256": (_or_none(_is_text(SHA256)), "a SHA-256 digest"),
    "reuse": (_or_none(_is_text(TREE)), _A_TREE),
    "programs": (_is_mapping_of_names, _A_NAME),
    "files": (_is_mapping_of_files, "paths such as share/man/man1/uv.1, with plain paths inside the asset"),
    "bin": (lambda value: value in (LINK, COPY), "link or copy"),
    "wrapped": (_is_list_of(_is_text(NAME)), _A_NAME),
    "adopt": (_is_list_of(_is_link), _A_LINK),
    "unlink": (_is_list_of(_is_link), _A_LINK),
    "check": (_is_list_of(_is_text(_ARGUMENT)), "words without NUL"),
    "capabilities": (_is_mapping_of_capabilities, "capabilities such as cap_net_raw=ep"),
    "receipt": (lambda value: isinstance(value, dict), "an object"),
    "prune": (_is_list_of(_is_text(TREE)), _A_TREE),
}  # type: t.Dict[str, t.Tuple[Test, str]]
_ASSET = {
    "name": (_is_text(_ARGUMENT), "a file name"),
    "urls": (lambda value: _is_list_of(_is_text(_ARGUMENT))(value) and 0 < len(value) <= MOST_URLS, "addresses"),
    "size": (_is_number, "a size in bytes"),
    "sha256": (_is_text(SHA256), "a SHA-256 digest"),
    "format": (_is_text(_ARGUMENT), "a format of archives"),
    "unpacked_size": (_is_number, "a size in bytes"),
    "pushed": (_is_flag, "true or false"),
    "pushable": (_is_flag, "true or false"),
}  # type: t.Dict[str, t.Tuple[Test, str]]
_PROGRAM = {
    "path": (_is_text(INNER_PATH), "a plain path inside the asset"),
    "sha256": (_is_text(SHA256), "a SHA-256 digest"),
    "size": (_is_number, "a size in bytes"),
}  # type: t.Dict[str, t.Tuple[Test, str]]
