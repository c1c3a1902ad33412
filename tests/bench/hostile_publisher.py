# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can a publisher do to the controller? Hundreds of hostile listings, sums files and archives, one by one.

Each happens in a process of its own. Prints how many of each kind were tried, refused and accepted, how many wrote
where they must not, and which was slowest and took the most memory. Fails if one escapes, ends in another
exception than the one error, or takes more memory than is promised. Listings come from a server on loopback, through
the sources that a manifest names. All is made anew, and the same, at each run. ``ansible_collections`` must be
importable (PYTHONPATH). Linux and macOS.

    python tests/bench/hostile_publisher.py [--quick] [--only WORDS] [--verbose]
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import resource
import shutil
import signal
import sys
import tarfile
import tempfile
import time
import traceback
import warnings
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from itertools import chain, repeat
from pathlib import Path

from ansible_collections.pinned.release.plugins.module_utils import archive as archive_file
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._asset.allowance import Allowance
from ansible_collections.pinned.release.plugins.plugin_utils._asset.contents import look_into
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import documents, transport
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.evidence import sums
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources import open_source
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.sources.declared import ASSETS_LIMIT
from ansible_collections.pinned.release.tests.fakes.web import Answer, Question, Web
from ansible_collections.pinned.release.tests.unit.plugins.module_utils import made_archives as made
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.tiny_programs import elf

PROMISED_MB = 320
#: A case that takes longer never ends.
LONGEST_S = 900
MIB = 1024**2
LIMIT = transport.LISTING_LIMIT_BYTES
VALUES, CONTAINERS = documents.VALUES_LIMIT, documents.CONTAINERS_LIMIT
HEX = "a" * 64
JSON, HTML = "application/vnd.pypi.simple.v1+json", "text/html"
#: What a manifest names → the source, where the server's answers for one case begin.
SOURCES: dict[str, Callable[[str], dict[str, str]]] = {
    "pypi": lambda url: {"pypi": "tool", "index": url},
    "npm": lambda url: {"npm": "tool", "registry": url},
    "github": lambda url: {"github": "owner/tool", "api_url": url},
    "directory": lambda url: {"directory": url},
}
#: Names and links that archives must not have.
NAMES = (
    "../x",
    "/x",
    "a/../../x",
    "..",
    ".",
    "",
    "C:/x",
    "a\\..\\x",
    "a\0b",
    "a\nb",
    "x" * 300,
    "a/" * 600 + "b",
    "\ud800",
)
TARGETS = ("..", "/etc/passwd", "../../x", "a/../..", "self", "/", "", "x" * 2000)


@dataclass(frozen=True)
class Case:
    """One thing that a publisher does. *act* is given a folder of its own and the address of the case's answers."""

    kind: str
    name: str
    act: Callable[[Path, str], object]
    answer: Callable[[Question], Answer] = lambda question: Answer(404)
    is_quick: bool = True


@dataclass(frozen=True)
class Outcome:
    """How one case ended: ``refused``, ``accepted``, ``escaped``, or the name of a foreign exception."""

    verdict: str
    seconds: float
    peak_mb: int
    detail: str = ""


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="leave out what takes long")
    parser.add_argument("--only", default="", metavar="WORDS", help="only cases whose kind and name contain this")
    parser.add_argument("--verbose", action="store_true", help="print every case")
    given = parser.parse_args()
    warnings.filterwarnings("ignore", "Duplicate name")
    os.environ.update(NETRC="/dev/null", no_proxy="127.0.0.1", GITHUB_TOKEN="", GH_TOKEN="", PIP_INDEX_URL="")
    chosen = [
        case for case in cases() if given.only in f"{case.kind} {case.name}" and (case.is_quick or not given.quick)
    ]
    with tempfile.TemporaryDirectory() as folder:
        server, url = serve(chosen)
        try:
            outcomes = [
                (case, run(case, Path(folder), f"{url}/{number}/", given.verbose)) for number, case in enumerate(chosen)
            ]
        finally:
            os.kill(server, 9)
            os.waitpid(server, 0)
    return report(outcomes)


def report(outcomes: list[tuple[Case, Outcome]]) -> int:
    """Print a table, then what must not be; return the exit status."""
    print(f"{'':10}{'tried':>7}{'refused':>9}{'accepted':>10}{'escaped':>9}{'foreign':>9}   slowest and largest")
    for kind in dict.fromkeys(case.kind for case, _outcome in outcomes):
        of_kind = [(case, outcome) for case, outcome in outcomes if case.kind == kind]
        verdicts = [outcome.verdict for _case, outcome in of_kind]
        known = [verdicts.count(verdict) for verdict in ("refused", "accepted", "escaped")]
        slowest = max(of_kind, key=lambda one: one[1].seconds)
        largest = max(of_kind, key=lambda one: one[1].peak_mb)
        print(
            f"{kind:10}{len(of_kind):7}{known[0]:9}{known[1]:10}{known[2]:9}{len(of_kind) - sum(known):9}"
            f"   {slowest[1].seconds:.1f} s {slowest[0].name}, {largest[1].peak_mb} MB {largest[0].name}"
        )
    is_broken = False
    for case, outcome in outcomes:
        is_bad = outcome.verdict not in ("refused", "accepted") or outcome.peak_mb > PROMISED_MB
        is_broken = is_broken or is_bad
        if is_bad:
            print(described(case, outcome), outcome.detail, sep="\n")
    print(f"promised: no escape, no foreign exception, at most {PROMISED_MB} MB: {'BROKEN' if is_broken else 'kept'}")
    return int(is_broken or not outcomes)


def described(case: Case, outcome: Outcome) -> str:
    return f"{case.kind} {case.name}: {outcome.verdict}, {outcome.seconds:.1f} s, {outcome.peak_mb} MB"


def serve(chosen: list[Case]) -> tuple[int, str]:
    """Start the server in a process of its own, whose memory counts for nobody; return its id and address."""
    reading, writing = os.pipe()
    server = os.fork()
    if server == 0:
        try:
            with Web(lambda question: chosen[int(question.path.split("/")[1])].answer(question)) as web:
                os.write(writing, web.url.encode())
                os.close(writing)
                while True:
                    time.sleep(3600)
        finally:
            os._exit(1)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        return server, pipe.read().decode()


def run(case: Case, folder: Path, url: str, is_told: bool) -> Outcome:
    """Let *case* happen in a process of its own; print how it ended if *is_told*."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(LONGEST_S)
        try:
            os.write(writing, json.dumps(asdict(happen(case, folder, url))).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    status = os.waitpid(child, 0)[1]
    outcome = Outcome(**json.loads(said)) if said else Outcome(f"died ({status})", 0.0, 0)
    if is_told:
        print(described(case, outcome), outcome.detail.partition("\n")[0], flush=True)
    return outcome


def happen(case: Case, folder: Path, url: str) -> Outcome:
    own, outside = folder / "own", folder / "outside"
    for fresh in (own, outside):
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
    (outside / "victim").write_text("precious")
    before = seen_in(folder)
    started = time.monotonic()
    detail = ""
    try:
        case.act(own, url)
        verdict = "accepted"
    except ReleaseError as error:
        verdict, detail = "refused", str(error)[:500]
    except BaseException as error:
        verdict, detail = type(error).__name__, "".join(traceback.format_exception(error))[-2000:]
    seconds = time.monotonic() - started
    if seen_in(folder) != before or not is_own(own):
        verdict = "escaped"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return Outcome(verdict, seconds, peak // (1024 if sys.platform == "linux" else 1024**2), detail)


def seen_in(folder: Path) -> list[tuple[str, int, str]]:
    """Return all that is in *folder*, but not below ``own``, which is the case's."""
    paths = [path for path in folder.rglob("*") if path.relative_to(folder).parts[0] != "own"]
    return sorted((str(path), path.lstat().st_mode, path.read_text() if path.is_file() else "") for path in paths)


def is_own(own: Path) -> bool:
    """Tell whether *own* holds what a case makes there, and every link of the unpacked tree stays in it."""
    tree = own / "tree"
    links = [path for path in tree.rglob("*") if path.is_symlink()]
    is_inside = all(os.path.realpath(link).startswith(f"{os.path.realpath(tree)}/") for link in links)
    return is_inside and {path.name for path in own.iterdir()} <= {"asset", "cache", "tree"}


def cases() -> Iterator[Case]:
    """Yield all cases, in an order that is always the same."""
    yield from listings()
    yield from pages_of_assets()
    yield from encodings()
    yield from sums_files()
    yield from archives()
    yield from damaged_archives()


def listing(name: str, source: str, answer: Callable[[Question], Answer], is_quick: bool = True) -> Case:
    """Return a case of *source*, which is asked for its releases and gets *answer*."""

    def ask(folder: Path, url: str) -> object:
        return open_source(SOURCES[source](url), cache_root=folder / "cache").releases()

    return Case("listing", f"{source}: {name}", ask, answer, is_quick)


def saying(
    make: Callable[[], Iterable[bytes]], content_type: str = JSON, **headers: str
) -> Callable[[Question], Answer]:
    """Return an answer of what *make* yields, which is made while it is sent."""
    return lambda question: Answer(200, make(), {"Content-Type": content_type, **headers})


def filled(
    begin: bytes, part: Callable[[int], bytes], end: bytes, *, size: int = LIMIT, most: int = 10**9
) -> Iterator[bytes]:
    """Yield *begin*, parts numbered from 0 until *size* bytes or *most* parts, and *end*, in pieces fit to be sent."""
    waiting = bytearray(begin)
    sent = 0
    for number in range(most):
        more = part(number)
        if sent + len(waiting) + len(more) + len(end) > size:
            break
        waiting += more
        if len(waiting) > 64 * 1024:
            sent += len(waiting)
            yield bytes(waiting)
            waiting.clear()
    yield bytes(waiting + end)


#: Shapes of JSON: what begins, each part, what ends, and how many parts are still admissible.
SHAPES: dict[str, tuple[bytes, Callable[[int], bytes], bytes, int]] = {
    "empty lists": (b"[[]", lambda n: b",[]", b"]", CONTAINERS - 3),
    "empty mappings": (b"[{}", lambda n: b",{}", b"]", CONTAINERS - 3),
    "mappings of one": (b"[0", lambda n: b',{"a":0}', b"]", CONTAINERS - 3),
    "mappings of their own keys": (b"[0", lambda n: b',{"%x":"%x"}' % (n, n), b"]", CONTAINERS - 3),
    "lists of one": (b"[0", lambda n: b",[0]", b"]", CONTAINERS - 3),
    "numbers": (b"[0", lambda n: b",1.5", b"]", VALUES - 3),
    "large numbers": (b"[0", lambda n: b",12345678901234567890", b"]", VALUES - 3),
    "keys": (b'{"k":0', lambda n: b',"%x":1.5' % n, b"}", VALUES - 3),
    "long keys": (b'{"k":0', lambda n: b',"%013x":1.5' % n, b"}", VALUES - 3),
    "texts": (b"[0", lambda n: b',"%013x"' % n, b"]", VALUES - 3),
    "wide texts": (b"[0", lambda n: b',"\xf0\x9f\x98\x80%019x"' % n, b"]", VALUES - 3),
    "escaped texts": (b"[0", lambda n: b',"\\ud83d\\ude00%013x"' % n, b"]", VALUES - 3),
    "one text": (b'["', lambda n: b"a" * 1024, b'"]', 10**9),
    "one wide text": (b'["\xf0\x9f\x98\x80', lambda n: b"a" * 1024, b'"]', 10**9),
    "quotes": (b"", lambda n: b'"' * 1024, b"", 10**9),
    "backslashes": (b'["', lambda n: b"\\" * 1024, b'"]', 10**9),
    "one number": (b"[", lambda n: b"9" * 1024, b"]", 10**9),
    "one fraction": (b"[0.", lambda n: b"9" * 1024, b"]", 10**9),
    "blanks": (b"[", lambda n: b" " * 1024, b"]", 10**9),
    "open lists": (b"", lambda n: b"[", b"", CONTAINERS - 3),
    "closed lists": (b"", lambda n: b"]", b"", CONTAINERS - 3),
    "nested mappings": (b"", lambda n: b'{"a":', b"0", CONTAINERS - 3),
    "brackets in texts": (b'["', lambda n: b"[", b'"]', CONTAINERS - 3),
    "one key again and again": (b'{"k":0', lambda n: b',"k":[]', b"}", CONTAINERS - 3),
    "zeros": (b"", lambda n: bytes(1024), b"", 10**9),
    "nonsense": (b"", lambda n: random.Random(n).randbytes(1024), b"", 10**9),
    "half characters": (b'["', lambda n: b"\xed\xa0\x80" * 300, b'"]', 10**9),
}


def listings() -> Iterator[Case]:
    """Yield every shape, for every source: alone, just admissible, and 114 MiB of it."""
    quick = {"wide texts", "one wide text", "long keys", "mappings of their own keys", "empty lists", "one fraction"}
    for shape, (begin, part, end, most) in SHAPES.items():
        for source in ("pypi", "npm", "github"):
            small = partial(filled, begin, part, end, most=3)
            largest = partial(filled, begin, part, end, most=most)
            beyond = partial(filled, begin, part, end, size=114 * MIB)
            is_quick = source == "npm" and shape in quick
            yield listing(f"three {shape}", source, saying(small))
            yield listing(f"as many {shape} as may be", source, saying(largest), is_quick)
            yield listing(f"114 MiB of {shape}", source, saying(beyond), is_quick=False)
    yield listing("no end", "npm", saying(lambda: chain([b"["], repeat(b"[],[]," * 10_000))))
    # What comes before is small enough to be read; only the end makes it wrong.
    for source, key in (("npm", b"versions"), ("pypi", b"files")):
        for shape in ("empty mappings", "mappings of their own keys", "wide texts", "keys"):
            begin, part, end, most = SHAPES[shape]
            inside = partial(filled, b'{"%s":' % key + begin, part, end + b"}", most=most - 1)
            yield listing(f"{shape} where {key.decode()} should be", source, saying(inside), is_quick=False)


def wheel(name: str) -> bytes:
    return f',{{"filename":"{name}","url":"http://h/{name}","hashes":{{}}}}'.encode()


def link_to_wheel(number: int) -> bytes:
    name = f"tool-{number}-py3-none-any.whl"
    return f'<a href="{name}#sha256={HEX}">{name}</a>'.encode()


def pages_of_assets() -> Iterator[Case]:
    """Yield listings that are what they should be, only too many of it."""
    head, tail = b'{"meta":{"api-version":"1.0"},"files":[{"filename":"x","url":"y","hashes":{}}', b"]}"
    parts: dict[str, tuple[str, str, bytes, Callable[[int], bytes], bytes]] = {
        "wheels of one version": ("pypi", JSON, head, lambda n: wheel(f"tool-1-{n}-py3-none-any.whl"), tail),
        "wheels of as many versions": ("pypi", JSON, head, lambda n: wheel(f"tool-{n}-py3-none-any.whl"), tail),
        "wheels in HTML": ("pypi", HTML, b"", link_to_wheel, b""),
        "folders in HTML": ("directory", HTML, b"", lambda n: b'<a href="%d/">%d/</a>' % (n, n), b""),
    }
    for number in (1000, ASSETS_LIMIT - 1, ASSETS_LIMIT + 1, CONTAINERS // 2 - 10, 10**9):
        for name, (source, content_type, begin, part, end) in parts.items():
            answer = saying(partial(filled, begin, part, end, most=number), content_type)
            yield listing(f"{number} {name}", source, answer, is_quick=number == ASSETS_LIMIT - 1)
    yield from pages_of_nonsense()
    yield from packages()
    yield from repositories()


def pages_of_nonsense() -> Iterator[Case]:
    tags = {
        "nested links": lambda n: b"<a href=x>y",
        "attributes": lambda n: b" a%x" % n,
        "open tags": lambda n: b"<a ",
        "comments": lambda n: b"<!--",
        "references": lambda n: b"&amp",
        "quotes": lambda n: b'<a href="',
        "declarations": lambda n: b"<![CDATA[",
        "text in one link": lambda n: b"\xf0\x9f\x98\x80aaaaaaaaaaaaaaaaaa",
        "nested others": lambda n: b"<b><i>x",
        "scripts": lambda n: b"<script><a href=x>",
    }
    for name, part in tags.items():
        for source in ("pypi", "directory"):
            whole = partial(filled, b"<a href=x ", part, b">")
            few = partial(filled, b"<a href=x>", part, b"", size=4 * MIB, most=documents.TAGS_LIMIT - 2)
            yield listing(f"a page of {name}", source, saying(whole, HTML), is_quick=False)
            yield listing(f"as many {name} on a page as may be", source, saying(few, HTML), is_quick=source == "pypi")


def packages() -> Iterator[Case]:
    """Yield npm tools that name many packages, each with a document as large as may be."""
    needed = {f"p{number}": "1.0.0" for number in range(299)}
    main = json.dumps({"versions": {"1.0.0": {"optionalDependencies": needed}}}).encode()

    def document(question: Question) -> Answer:
        if question.path.endswith("/tool"):
            return Answer(200, main)
        begin, part, end, most = SHAPES["mappings of their own keys"]
        built = b'{"versions":{"1.0.0":{"os":["linux"],"cpu":["x64"],"dist":{"tarball":"http://h/x"}}},"x":'
        return Answer(200, filled(built + begin, part, end + b"}", most=most // 8))

    yield listing("299 packages with large documents", "npm", document, is_quick=False)
    yield listing(
        "versions that name more packages than may be",
        "npm",
        saying(partial(filled, b'{"versions":{"0.0.1":{}', naming_three, b"}}", most=CONTAINERS // 2 - 10)),
    )


def naming_three(number: int) -> bytes:
    return b',"1.0.%d":{"optionalDependencies":{"a":"1.0.0","b":"1.0.0","c":"1.0.0"}}' % number


def repositories() -> Iterator[Case]:
    """Yield lists of a repository that never end, or whose releases have too many assets."""

    def asset(number: int) -> dict[str, object]:
        name = f"tool-{number}-linux-amd64"
        fixed = {"state": "uploaded", "created_at": "2026-01-01T00:00:00Z", "size": 1, "digest": f"sha256:{HEX}"}
        return {"name": name, "url": f"http://h/{name}", "browser_download_url": f"http://h/{name}", **fixed}

    def page(question: Question, assets: int, releases: int) -> Answer:
        number = int(question.query.get("page", "1"))
        listed = [
            {
                "tag_name": f"v{number}.{release}",
                "draft": False,
                "prerelease": False,
                "published_at": None,
                "assets": [asset(one) for one in range(assets)],
            }
            for release in range(releases)
        ]
        here = question.path.rpartition("/repos/")[0]
        link = f'<http://{question.headers["Host"]}{here}/repos/owner/tool/releases?page={number + 1}>; rel="next"'
        return Answer(200, json.dumps(listed).encode(), {"Link": link})

    for assets, releases, is_quick in ((0, 1, False), (100, 100, False), (1000, 20, True), (1, 100, False)):
        answer = partial(page, assets=assets, releases=releases)
        yield listing(f"pages without end, {releases} releases of {assets} assets", "github", answer, is_quick)


def encodings() -> Iterator[Case]:
    """Yield listings that are small on the wire."""
    zeros = gzip.compress(bytes(64 * MIB))
    bombs: dict[str, tuple[str, Callable[[], Iterable[bytes]]]] = {
        "gzip of zeros": ("gzip", lambda: repeat(zeros)),
        "gzip in gzip": ("gzip, gzip", lambda: [gzip.compress(zeros * 100)]),
        "gzip of nothing without end": ("gzip", lambda: repeat(gzip.compress(b"") * 1000)),
        "gzip cut short": ("gzip", lambda: [zeros[:-9]]),
        "gzip of nonsense": ("gzip", lambda: [random.Random(1).randbytes(MIB)]),
        "what is called gzip and is not": ("gzip", lambda: [b"[]" * 1000]),
        "brotli": ("br", lambda: repeat(b"\x5b\xff\xff\xfb" * 1000)),
        "zstd": ("zstd", lambda: [made.zstd(bytes(MIB))]),
        "deflate": ("deflate", lambda: [b"x\x9c" + bytes(1000)]),
        "an encoding of its own": ("x" * 60_000, lambda: [b"[]"]),
    }
    for name, (encoding, make) in bombs.items():
        for source in ("npm", "pypi", "github", "directory"):
            yield listing(name, source, saying(make, JSON, **{"Content-Encoding": encoding}), is_quick=source == "npm")


def sums_files() -> Iterator[Case]:
    """Yield sums files as large as may be, and larger, of lines that tempt a pattern to try again and again."""
    lines: dict[str, Callable[[int], str]] = {
        "names": lambda n: f"{n:064x}  {n:x}\n",
        "paths": lambda n: f"{n:064x}  {n:x}/x\n",
        "one name": lambda n: f"{HEX}  x\n",
        "contradictions": lambda n: f"{n:064x}  x\n",
        "wide names": lambda n: f"{n:064x}  \U0001f600{n:x}\n",
        "bare hashes": lambda n: f"{HEX}\n",
        "blank lines": lambda n: "\n",
        "short lines": lambda n: "ab\n",
        "parentheses": lambda n: "a(" + ")=" * 2040 + "\n",
        "BSD names": lambda n: f"SHA256 ({'x' * 3900}) = {HEX}\n",
        "hashes in a row": lambda n: f"{HEX} " * 60 + "\n",
        "tabs": lambda n: "a" + "\t" * 4000 + "\n",
        "blanks": lambda n: "a" + " " * 4000 + "x\n",
        "titles": lambda n: "SHA256 hash of " + "file " * 700 + ":\n",
        "labels": lambda n: "sha256:" * 500 + "\n",
        "fields": lambda n: f"Algorithm : SHA256\nHash : {HEX}\nPath : {n:x}\n",
        "colons": lambda n: "Path : " + ":" * 4000 + "\n",
        "backslashes": lambda n: f"\\{HEX}  " + "\\" * 3900 + "\n",
        "one line": lambda n: "a" * 1000,
        "line ends of three kinds": lambda n: "\r\n\n\r",
        "digits": lambda n: "a" * 4000 + "\n",
    }
    for name, line in lines.items():
        for size in (1000, sums.LIMIT_BYTES // 8, sums.LIMIT_BYTES, sums.LIMIT_BYTES + 10_000):
            for encoding in ("utf-8", "utf-16"):
                is_quick = size in (1000, sums.LIMIT_BYTES) and encoding == "utf-8"
                act = partial(read_sums, line, size, encoding)
                yield Case("sums", f"{size} bytes of {name} in {encoding}", act, is_quick=is_quick)


def read_sums(line: Callable[[int], str], size: int, encoding: str, folder: Path, url: str) -> object:
    text = "".join(part.decode() for part in filled(b"", lambda n: line(n).encode(), b"", size=size))
    content = text.encode(encoding)
    del text
    return sums.parse_sums(sums.decode(content), "x")


Members = Callable[[], Iterable[made.Made]]


def archives() -> Iterator[Case]:
    """Yield archives that want to be somewhere else, or larger than they may be. Each is made when it is opened."""
    for archive_format in ("tar", "tar.gz", "tar.xz", "tar.bz2", "zip"):
        for name, members in {**named(), **STRANGE}.items():
            act = partial(open_made, archive_format, members)
            is_quick = archive_format in ("tar", "zip") and not name.endswith("000 files")
            yield Case("archive", f"{name} in {archive_format}", act, is_quick=is_quick)
    yield from bombs()


def named() -> dict[str, Members]:
    """Return archives with a program, and a name or a link that none must have."""
    found: dict[str, Members] = {}
    for name in NAMES:
        found[f"the name {name[:20]!r}"] = partial(_with_program, made.file, name)
        found[f"the folder {name[:20]!r}"] = partial(_with_program, made.directory, name)
    for target in TARGETS:
        found[f"a link to {target[:20]!r}"] = partial(_with_program, made.link, "self", target)
        found[f"a hard link to {target[:20]!r}"] = partial(_with_program, made.hard_link, "l", target)
    return found


def _with_program(make: Callable[..., made.Made], *arguments: str) -> Iterable[made.Made]:
    return [program(), make(*arguments)]


def program(mode: int = 0o755) -> made.Made:
    return made.file("tool", elf(), mode)


STRANGE: dict[str, Members] = {
    "a file through a link": lambda: [made.link("d", "../../outside"), made.file("d/victim", b"changed")],
    "a file through two links": lambda: [made.link("a", ".."), made.link("b", "a/../outside"), made.file("b/victim")],
    "a link over a file": lambda: [program(), made.link("tool", "/etc/passwd")],
    "a file over a folder": lambda: [made.directory("d"), made.file("d")],
    "names that differ by case": lambda: [made.file("a"), made.file("A")],
    "names that differ by their accents": lambda: [made.file("\u00e9"), made.file("e\u0301")],
    "a fifo": lambda: [made.file("f", b"", type=tarfile.FIFOTYPE)],
    "a device": lambda: [made.file("f", b"", type=tarfile.CHRTYPE)],
    "a set-user-id program": lambda: [program(0o6755)],
    "60,000 files": lambda: (made.file(str(number), b"") for number in range(60_000)),
    "49,000 files": lambda: (made.file(str(number), b"") for number in range(49_000)),
    "links in a circle": lambda: [made.link("a", "b"), made.link("b", "a")],
    "links in a row": lambda: [made.link(f"l{number}", f"l{number + 1}") for number in range(2000)],
    "long scripts": lambda: [made.file(f"s{number}", b"#!" + b"x" * 100_000, 0o755) for number in range(50)],
    "300 programs": lambda: [made.file(f"p{number}", elf(), 0o755) for number in range(300)],
}


def bombs() -> Iterator[Case]:
    """Yield archives that unpack to more than they may."""
    for size in (2**31 + 1, 2**33, 2**60, 2**63):
        for archive_format in ("tar", "tar.gz", "tar.xz"):
            act = partial(open_made_bytes, archive_format, partial(packed_announcing, archive_format, size))
            yield Case("archive", f"{size} bytes announced in {archive_format}", act)
    for archive_format, first in (("gz", elf), ("tar.gz", partial(announcing, 3 * 10**9))):
        act = partial(open_made_bytes, archive_format, partial(swelling, first))
        yield Case("archive", f"3 GB of a program in 3 MB of {archive_format}", act, is_quick=False)
    for members in (10, 1000):
        act = partial(open_made_bytes, "zip", partial(overlapping, members))
        yield Case("archive", f"{members} members of a zip file that share their bytes", act)


def announcing(size: int) -> bytes:
    """Return the beginning of a tar archive with one program that is to have *size* bytes."""
    info = tarfile.TarInfo("tool")
    info.size, info.mode = size, 0o755
    return info.tobuf(tarfile.GNU_FORMAT) + elf().ljust(1024, b"\0")


def packed_announcing(archive_format: str, size: int) -> bytes:
    return made.COMPRESSORS.get(archive_format.partition(".")[2], bytes)(announcing(size))


def swelling(first: Callable[[], bytes]) -> bytes:
    """Return 3 MB of gzip data that begin with *first* and have 3 GB."""
    return gzip.compress(first()) + gzip.compress(bytes(10**7)) * 300


def overlapping(members: int) -> bytes:
    """Return a zip file whose directory names one member many times: how a small one becomes endless."""
    packed = made.zipped(made.file("tool", elf() + bytes(MIB), 0o755))
    start = packed.index(b"PK\x01\x02")
    end = packed.index(b"PK\x05\x06")
    tail = bytearray(packed[end:])
    tail[8:12] = members.to_bytes(2, "little") * 2
    tail[12:16] = ((end - start) * members).to_bytes(4, "little")
    return packed[:start] + packed[start:end] * members + bytes(tail)


def damaged_archives() -> Iterator[Case]:
    """Yield archives and programs with a few bytes changed, the same ones in every run."""
    for number in range(400):
        archive_format = ("tar", "tar.gz", "tar.xz", "tar.bz2", "zip")[number % 5]
        act = partial(open_made_bytes, archive_format, partial(damaged, archive_format, number))
        yield Case("damaged", f"{archive_format} {number}", act, is_quick=number < 100)


def damaged(archive_format: str, number: int) -> bytes:
    """Return an archive with damage of that *number*: of every two, one in its program, one in itself."""
    chance = random.Random(number)
    whole = elf(interpreter="/lib64/ld-linux-x86-64.so.2", needed=("libc.so.6",), versions=("GLIBC_2.39",))
    is_inside = bool(chance.getrandbits(1))
    content = changed(whole, chance) if is_inside else whole
    members = [made.file("a/tool", content, 0o755), made.link("l", "a/tool"), made.directory("d")]
    packed = made.archive(archive_format, *members)
    return packed if is_inside else changed(packed, chance)


def changed(data: bytes, chance: random.Random) -> bytes:
    other = bytearray(data)
    for _time in range(6):
        other[chance.randrange(len(other))] = chance.choice([0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)])
    return bytes(other)


def open_made(archive_format: str, make: Members, folder: Path, url: str) -> None:
    members = list(make())
    if archive_format == "zip":
        members = [member for member in members if not member[0].islnk() and not member[0].ischr()]
    try:
        packed = made.zipped(*members) if archive_format == "zip" else tarred(archive_format, members)
    except (ValueError, tarfile.TarError, zipfile.BadZipFile) as error:
        raise ReleaseError("the archive cannot even be made") from error
    del members
    open_made_bytes(archive_format, lambda: packed, folder, url)


def tarred(archive_format: str, members: Iterable[made.Made]) -> bytes:
    """Return a tar archive in time that grows with the number of its members, and no faster."""
    plain = b"".join(made.tar(member)[:-1024] for member in members) + bytes(1024)
    return made.COMPRESSORS.get(archive_format.partition(".")[2], bytes)(plain)


def open_made_bytes(archive_format: str, make: Callable[[], bytes], folder: Path, url: str) -> None:
    """Look into an archive as the controller does; unpack it as a host does, whatever the controller said of it."""
    path = folder / "asset"
    path.write_bytes(make())
    (folder / "tree").mkdir()
    size = 64 * MIB
    try:
        size = look_into(path, archive_format, "tool", "asset", Allowance()).unpacked_size
    finally:
        archive_file.unpack(str(path), archive_format, "tool", str(folder / "tree"), size)


if __name__ == "__main__":
    sys.exit(main())
