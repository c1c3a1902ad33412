# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of an asset's addresses serves it? The first that sends the bytes that were locked. Runs on hosts.

Mirrors are not trusted: whatever is wrong with what one of them sends, or with how it does, the next is asked.
"""

import time
import typing as t
import urllib.parse

from ansible_collections.pinned.release.plugins.module_utils.download import (
    IMPATIENT,
    DiskError,
    all_patience,
    download,
    patience_while_controller_stands_by,
)
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.http_get import SilentError
from ansible_collections.pinned.release.plugins.module_utils.orders import Download
from ansible_collections.pinned.release.plugins.module_utils.pushed import Pushed

#: What is told of why one address did not serve.
LONGEST_REASON = 300


class Fetched(t.NamedTuple):
    """How an asset came.

    bytes_fetched   all bytes that came for it, also from those that did not serve it
    seconds         how long that took
    served_by       the number of its address among the asset's; None where it came with the orders
    failed          why those that were asked before did not serve it, a line each; what is told of an asset already is
                    not said again: a mirror that is down would be told once for each of fifty tools
    """

    bytes_fetched: int
    seconds: float
    served_by: t.Optional[int]
    failed: t.List[str]


class Fetcher:
    """Fetches the assets of one run. Whoever was silent once is asked last for the assets that follow.

    That an address fails as it did for another asset is told once.
    """

    def __init__(self, pushed: Pushed) -> None:
        """Take what comes with the orders from *pushed*, in their order."""
        self._pushed = pushed
        self._silent = set()  # type: t.Set[str]
        self._told = set()  # type: t.Set[t.Tuple[int, str, t.Optional[str]]]

    def fetch(self, asset: Download, path: str) -> Fetched:
        """Write the *asset* to the new file *path*, by the first of its addresses that serves it.

        Raises ReleaseError where none does, or this machine's disk does not take it; then there is no file.
        """
        started_s = time.monotonic()
        if asset.pushed:
            self._pushed.take(path, asset.sha256, asset.size, asset.name)
            return Fetched(asset.size, _seconds_since(started_s), None, [])
        counts = []  # type: t.List[int]
        failures = []  # type: t.List[ReleaseError]
        news = []  # type: t.List[str]
        last = patience_while_controller_stands_by() if asset.pushable else all_patience()
        numbers = sorted(range(len(asset.urls)), key=lambda number: _server(asset.urls[number]) in self._silent)
        for number in numbers:
            url = asset.urls[number]
            try:
                download(
                    url,
                    path,
                    asset.sha256,
                    asset.size,
                    secrets=asset.headers.get(url),
                    patience=last if number == numbers[-1] else IMPATIENT,
                    came=counts.append,
                )
            except DiskError:
                raise
            except ReleaseError as error:
                failures.append(error)
                if isinstance(error, SilentError):
                    self._silent.add(_server(url))
                # The folders of two mirrors have one server, which is none.
                kind = (number, _server(url), error.found)
                if kind not in self._told:
                    self._told.add(kind)
                    news.append(_reason(error))
            else:
                return Fetched(sum(counts), _seconds_since(started_s), number, news)
        raise _nobody_serves(asset, failures)


def _seconds_since(started_s: float) -> float:
    return round(time.monotonic() - started_s, 3)


def _server(url: str) -> str:
    return urllib.parse.urlsplit(url).netloc


def _reason(error: ReleaseError) -> str:
    text = "{0} ({1})".format(error.what, error.found) if error.found else error.what
    return text[:LONGEST_REASON]


def _nobody_serves(asset: Download, failures: t.List[ReleaseError]) -> ReleaseError:
    """Return the error of the only address, or that of the last with what the others say."""
    last = failures[-1]
    if len(failures) == 1:
        return last
    error = ReleaseError(
        "none of {0} addresses serves {1}".format(len(failures), asset.name),
        expected=last.expected,
        found="; ".join(map(_reason, failures)),
        fix=last.fix,
    )
    error.is_unanswered = any(failure.is_unanswered for failure in failures)
    return error
