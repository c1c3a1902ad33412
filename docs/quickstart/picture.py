# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does one see who types ``make quickstart``? Tells the story on a terminal, and draws its first steps as an SVG.

``picture.py FILE``; ``make pictures`` runs it. Nothing in the picture is written by hand.
"""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

from rich.console import Console
from rich.text import Text

STORY = Path(__file__).with_name("run.sh")
CLONE = STORY.parents[2]
LINES = 40
#: The steps that are drawn: one screen, and the point of it all.
FIRST, AFTER = "1. ", "5. "
#: Rich would have the font fetched from elsewhere, which no reader's browser does for a picture.
FETCHED_FONT = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
FONTS = "ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, monospace"
ESCAPED = re.compile(r"\x1b\[[0-9;]*m")


class NoPictureError(Exception):
    """The story did not end well, or says what is not for a picture; the text is what was printed."""


def main(target: Path) -> int:
    columns = widest(STORY.read_text(encoding="utf-8"))
    try:
        text = steps(told(columns))
    except NoPictureError as error:
        print(error, file=sys.stderr)
        return 1
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(drawn(text, columns), encoding="utf-8")
    print(target)
    return 0


def widest(story: str) -> int:
    """Return for how many columns the *story* says that it is made."""
    (columns,) = re.findall(r"^# It fits .* of (\d+) columns", story, re.MULTILINE)
    return int(columns)


def told(columns: int) -> str:
    """Return what the story prints on a terminal. Raises NoPictureError if it fails."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, columns, 0, 0))
    environment = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm-256color"}
    environment.pop("NO_COLOR", None)
    with subprocess.Popen([STORY], cwd=CLONE, env=environment, stdin=its, stdout=its, stderr=its) as telling:
        os.close(its)
        printed = bytearray()
        # The end of a terminal is an error on Linux, and no bytes elsewhere.
        try:
            while chunk := os.read(ours, 65536):
                printed += chunk
        except OSError:
            pass
    os.close(ours)
    text = printed.decode("utf-8").replace("\r\n", "\n")
    if telling.returncode:
        raise NoPictureError(text)
    return text


def steps(text: str) -> str:
    """Return the first steps in *text*. Raises NoPictureError if they are not there, or say where this clone is."""
    lines = text.splitlines()
    plain = [ESCAPED.sub("", line) for line in lines]
    begins = next((number for number, line in enumerate(plain) if line.startswith(FIRST)), None)
    ends = next((number for number, line in enumerate(plain) if line.startswith(AFTER)), None)
    if begins is None or ends is None:
        raise NoPictureError(f"the story has no step {FIRST}, or no step {AFTER}:\n{text}")
    shown = "\n".join(lines[begins:ends]).rstrip("\n")
    if str(CLONE) in shown:
        raise NoPictureError(f"the story says where this clone is, which is nobody's business:\n{shown}")
    return shown


def drawn(text: str, columns: int) -> str:
    """Return *text*, as a terminal shows it, as an SVG."""
    console = Console(record=True, width=columns, file=io.StringIO(), force_terminal=True, legacy_windows=False)
    console.print(Text("$ make quickstart\n", style="bold"))
    console.print(Text.from_ansi(text))
    svg = console.export_svg(title="make quickstart", unique_id="quickstart")
    svg = FETCHED_FONT.sub("", svg).replace("Fira Code, monospace", FONTS)
    return re.sub(r"[ \t]+$", "", svg, flags=re.MULTILINE)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
