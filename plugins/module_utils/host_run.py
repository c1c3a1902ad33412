# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does one run on a host do, from the orders that came to the answer that goes back? Runs on hosts.

The answer is one line of JSON between two marks. They hold a word of the controller's, so that nothing that others
print before, between or after is taken for it.
"""

import json
import os
import sys
import typing as t

from ansible_collections.pinned.release.plugins.module_utils import store
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError, StaleError
from ansible_collections.pinned.release.plugins.module_utils.orders import from_json
from ansible_collections.pinned.release.plugins.module_utils.pushed import Pushed, pushed_file

Answer = t.Dict[str, t.Any]

#: Stands for standard input in the place of a file's name.
STDIN = "-"


def main(orders: bytes, stream: t.BinaryIO, nonce: str, size: str, parcel: str) -> int:
    """Carry out *orders*, JSON, and write the answer; return the exit status.

    *size* bytes were pushed: they are what follows in *stream*, or what lies in the file *parcel*.
    """
    try:
        pushed = Pushed(stream, int(size)) if parcel == STDIN else pushed_file(parcel, int(size))
        try:
            answer = answer_to(json.loads(orders.decode("ascii")), pushed)
        finally:
            if parcel == STDIN:
                pushed.drain()
    except ReleaseError as error:
        answer = _failed(error)
    text = "\n@@pinned.release {0}\n{1}\n@@end {0}\n".format(nonce, json.dumps(answer, sort_keys=True))
    left = text.encode("ascii")
    while left:
        left = left[os.write(1, left) :]
    return 1 if "failed" in answer else 0


def answer_to(orders: t.Dict[str, t.Any], pushed: Pushed) -> Answer:
    """Carry out *orders*; return what was done, or why nothing was."""
    try:
        done = store.obey(from_json(orders), pushed)
    except StaleError as error:
        return {"stale": True, "error": error.as_dict()}
    except ReleaseError as error:
        return _failed(error)
    except UnicodeEncodeError as error:
        return _failed(_unwritable(error))
    return {"done": [dict(item._asdict()) for item in done]}


def _unwritable(error: UnicodeEncodeError) -> ReleaseError:
    """Return what it means that this Python writes names of files in the encoding of a locale. 3.6 does."""
    return ReleaseError(
        "the Python of this host cannot write a path in its locale: {0}".format(ascii(error.object)[1:-1]),
        found="the encoding {0}, as this host lacks the locale C.UTF-8".format(sys.getfilesystemencoding()),
        fix="install that locale, name a newer Python in ansible_python_interpreter, or choose a path in ASCII",
    )


def _failed(error: ReleaseError) -> Answer:
    return {"failed": True, "error": error.as_dict(), "unanswered": error.is_unanswered}
