# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which trust roots are there beside the public one, and how does the controller get them? Runs on the controller.

GitHub signs releases, and the provenance of private repositories, with authorities of its own. Its root is a file that
the user gives (``gh attestation trusted-root`` writes it), or comes from GitHub's repository in the way of TUF
(theupdateframework.github.io/specification): from a first root, which is pinned by its digest, to the newest that those
before it have signed. python-tuf does that, over our own connections, with what it has seen kept in the cache.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._publisher import failures, transport
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.folders import private_folder
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.redaction import redacted, shown
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.services import Service, canonical
from ansible_collections.pinned.release.plugins.plugin_utils._signature import sigstore
from ansible_collections.pinned.release.plugins.plugin_utils._values import libraries
from ansible_collections.pinned.release.plugins.plugin_utils._values.json_text import read_json

TARGET = "trusted_root.json"
#: GitHub's has 31 KB, and its history of roots a few files of 6 KB.
LIMIT_BYTES = 4 * 1024 * 1024
_GIVE_A_FILE = "or give the root as a file in the option trust_root: gh attestation trusted-root writes one"


@dataclass(frozen=True)
class TufRepository:
    """A repository of trust roots: *name* for people, *address*, and the file of its first root, pinned by *sha256*."""

    name: str
    address: str
    first_root: str
    sha256: str


#: The first root as cli/cli has it, from where every newer one can be reached.
GITHUB = TufRepository(
    name="GitHub's repository of trust roots",
    address="https://tuf-repo.github.com",
    first_root="3.root.json",
    sha256="98cba97be9075bc98b2322de3de85fbd1b70ec7392991dfd2f53d215bede1a8d",
)


def from_files(paths: Sequence[Path]) -> tuple[bytes, ...]:
    """Return the trust roots in files, each on one line. Raises ReleaseError for a file that has none."""
    return tuple(root for path in paths for root in _in_file(path))


def _in_file(path: Path) -> tuple[bytes, ...]:
    try:
        with path.open("rb") as file:
            content = file.read(LIMIT_BYTES + 1)
        return _on_lines(content)
    except OSError as error:
        found = error.strerror
    except ReleaseError as error:
        found = error.what if error.found is None else f"{error.what}: {error.found}"
    raise ReleaseError(
        f"{path} is no trust root",
        expected="a trusted_root.json, or what gh attestation trusted-root writes",
        found=found,
        fix="correct the option trust_root",
    )


def _on_lines(content: bytes) -> tuple[bytes, ...]:
    """Return the trust roots in *content*, each on one line, however it is formatted."""
    roots = sigstore.TrustRoots.of(content).roots
    return tuple(canonical(read_json(root.content.decode())) for root in roots)


@dataclass
class PublishedRoot:
    """The trust root in a TUF *repository*, of which what was seen is kept below *cache_root*. Asked for once a run."""

    repository: TufRepository
    cache_root: Path
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _known: tuple[bytes, ...] = ()

    def roots(self) -> tuple[bytes, ...]:
        """Return the newest trust root, on one line. Asks the repository, the first time.

        Raises UnreachableError if it does not answer, ReleaseError if what it has is not signed, expired, or older than
        what was seen before.
        """
        with self._lock:
            if not self._known:
                self._known = _on_lines(self._newest())
        return self._known

    def _newest(self) -> bytes:
        tuf, repository = libraries.tuf, self.repository
        service = Service(repository.name, transport.session())
        try:
            folder = private_folder(self.cache_root, "tuf", repository.sha256)
            targets = private_folder(self.cache_root, "tuf", repository.sha256, "targets")
            updater = tuf.ngclient.updater.Updater(
                metadata_dir=str(folder),
                metadata_base_url=repository.address,
                target_dir=str(targets),
                target_base_url=f"{repository.address}/targets",
                fetcher=_fetcher(service),
                bootstrap=self._first_root(service, folder),
            )
            target = updater.get_targetinfo(TARGET)
            if target is None:
                raise ReleaseError(f"{repository.name} has no {TARGET}", fix=f"ask who runs it, {_GIVE_A_FILE}")
            path = updater.find_cached_target(target) or updater.download_target(target)
            return Path(path).read_bytes()
        except ReleaseError:
            raise
        except OSError as error:
            what = f"what {repository.name} has cannot be kept in the cache"
            raise ReleaseError(what, found=error.strerror, fix="make the cache writable for this user") from error
        except Exception as error:
            mismatch = tuf.api.exceptions.DownloadLengthMismatchError
            if isinstance(error, tuf.api.exceptions.DownloadError) and not isinstance(error, mismatch):
                raise self._unreachable(error) from error
            # Its documentation names what it raises, and not what its readers of JSON and keys do.
            raise ReleaseError(
                f"what {repository.name} has cannot be trusted",
                expected=f"a {TARGET} that it has signed and that has not expired",
                found=shown(f"{type(error).__name__}: {error}"),
                fix=f"check the clock of the controller, and try again; {_GIVE_A_FILE[3:]}",
            ) from error

    def _first_root(self, service: Service, folder: Path) -> bytes:
        """Return the first root, from the cache if it is there. Raises ReleaseError unless it is the pinned one."""
        kept = folder / "root_history" / self.repository.first_root
        if kept.is_file():
            content = kept.read_bytes()
            if hashlib.sha256(content).hexdigest() == self.repository.sha256:
                return content
        address = f"{self.repository.address}/{self.repository.first_root}"
        response = service.get(address)
        found = hashlib.sha256(response.content).hexdigest() if response is not None else "nothing"
        if response is None or found != self.repository.sha256:
            raise ReleaseError(
                f"{redacted(address)} is not the root that is trusted",
                expected=f"sha256 {self.repository.sha256}",
                found=f"sha256 {found}",
                fix=f"do not use it: ask who runs the network; {_GIVE_A_FILE[3:]}",
            )
        return response.content

    def _unreachable(self, error: Exception) -> failures.UnreachableError:
        reason = error.__cause__ if isinstance(error.__cause__, failures.UnreachableError) else None
        cause = ReleaseError(
            shown(str(error)), found=reason.found if reason else None, fix=f"try again later, {_GIVE_A_FILE}"
        )
        return failures.UnreachableError(self.repository.name, cause)


def _fetcher(service: Service) -> Any:
    """Return what python-tuf fetches with: *service*, which has our proxies, authorities, limits and errors."""
    tuf = libraries.tuf

    class Fetcher(tuf.ngclient.fetcher.FetcherInterface):
        """Answers as python-tuf wants it. Whatever is raised here becomes a DownloadError there."""

        def _fetch(self, url: str) -> Iterator[bytes]:
            response = service.get(url)
            if response is None:
                raise tuf.api.exceptions.DownloadHTTPError(f"{redacted(url)} is not there", 404)
            return iter((response.content,))

    return Fetcher()
