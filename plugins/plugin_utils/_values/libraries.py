# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Are the libraries that the controller needs installed? Every import of one goes through here. Runs on the controller.

Ansible imports a plugin's code before it can report an error, and documentation and sanity tests import it on machines
that have none of the libraries. So an absent library must not fail where it is imported, only where it is used, and
then with what to type. Importing ``requests`` from here gives either the library or such a stand-in. ``tomli`` is what
Python has as tomllib from 3.11 on.
"""

from __future__ import annotations

import importlib
import shlex
import sys
from typing import TYPE_CHECKING, Any

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError

if TYPE_CHECKING:
    import cryptography
    import cryptography.exceptions
    import cryptography.hazmat.primitives.asymmetric.ec
    import cryptography.hazmat.primitives.asymmetric.ed25519
    import cryptography.hazmat.primitives.asymmetric.padding
    import cryptography.hazmat.primitives.asymmetric.rsa
    import cryptography.hazmat.primitives.asymmetric.utils
    import cryptography.hazmat.primitives.hashes
    import cryptography.hazmat.primitives.serialization
    import cryptography.x509
    import cryptography.x509.oid
    import cryptography.x509.verification
    import cyclonedx
    import cyclonedx.model
    import cyclonedx.model.bom
    import cyclonedx.model.component
    import cyclonedx.model.component_evidence
    import cyclonedx.model.impact_analysis
    import cyclonedx.model.lifecycle
    import cyclonedx.model.vulnerability
    import cyclonedx.output
    import cyclonedx.schema
    import packageurl
    import packaging
    import packaging.specifiers
    import packaging.tags
    import packaging.utils
    import packaging.version
    import pypi_simple
    import requests
    import requests.adapters
    import requests.auth
    import requests.utils
    import rfc3161_client
    import semver
    import sigstore
    import sigstore.errors
    import sigstore.hashes
    import sigstore.models
    import sigstore.verify
    import sigstore.verify.policy
    import tuf
    import tuf.api.exceptions
    import tuf.ngclient.fetcher
    import tuf.ngclient.updater
    import urllib3
    import urllib3.util

    # These publish no types, or are not installed where types are checked.
    blake3: Any
    jmespath: Any
    tomli: Any

__all__ = (
    "blake3",
    "cryptography",
    "cyclonedx",
    "jmespath",
    "packageurl",
    "packaging",
    "pypi_simple",
    "requests",
    "rfc3161_client",
    "semver",
    "sigstore",
    "tomli",
    "tuf",
    "urllib3",
)
#: Libraries that nobody must have: without one, something is left out, and people are told.
OPTIONAL = ("blake3",)

#: Library → the submodules that importing it alone would not bring.
_LIBRARIES: dict[str, tuple[str, ...]] = {
    "blake3": (),
    "cryptography": (
        "cryptography.exceptions",
        "cryptography.hazmat.primitives.asymmetric.ec",
        "cryptography.hazmat.primitives.asymmetric.ed25519",
        "cryptography.hazmat.primitives.asymmetric.padding",
        "cryptography.hazmat.primitives.asymmetric.rsa",
        "cryptography.hazmat.primitives.asymmetric.utils",
        "cryptography.hazmat.primitives.hashes",
        "cryptography.hazmat.primitives.serialization",
        "cryptography.x509",
        "cryptography.x509.oid",
        "cryptography.x509.verification",
    ),
    "cyclonedx": (
        "cyclonedx.model.bom",
        "cyclonedx.model.component",
        "cyclonedx.model.component_evidence",
        "cyclonedx.model.impact_analysis",
        "cyclonedx.model.lifecycle",
        "cyclonedx.model.vulnerability",
        "cyclonedx.output",
        "cyclonedx.schema",
    ),
    "jmespath": ("jmespath.functions",),
    "packageurl": (),
    "packaging": ("packaging.specifiers", "packaging.tags", "packaging.utils", "packaging.version"),
    "pypi_simple": (),
    "requests": ("requests.adapters", "requests.auth", "requests.utils"),
    "rfc3161_client": (),
    "semver": (),
    "sigstore": ("sigstore.errors", "sigstore.hashes", "sigstore.models", "sigstore.verify", "sigstore.verify.policy"),
    "tomli": (),
    "tuf": ("tuf.api.exceptions", "tuf.ngclient.fetcher", "tuf.ngclient.updater"),
    "urllib3": ("urllib3.util",),
}

#: Library → what it is called where libraries are installed from, where that is not its own name.
DISTRIBUTIONS = {"cyclonedx": "cyclonedx-python-lib", "packageurl": "packageurl-python"}
#: What requirements.txt demands of a version.
BOUNDS = {"semver": ">=3"}

#: Modules whose import has ended. Before that, another thread may already find them in sys.modules.
_imported: set[str] = set()


class _Absent:
    """Stands in for a library and everything in it: may be imported, named and derived from, but not used."""

    def __init__(self, library: str) -> None:
        self._library = library

    def __getattr__(self, name: str) -> _Absent:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Absent(self._library)

    def __mro_entries__(self, bases: tuple[object, ...]) -> tuple[type, ...]:
        return ()

    def __call__(self, *arguments: object, **named: object) -> Any:
        missing = [_distribution(name) for name in (self._library, *_others_missing(self._library))]
        libraries = f"libraries {', '.join(missing)} are" if len(missing) > 1 else f"library {missing[0]} is"
        python = shlex.quote(sys.executable or "python3")
        raise ReleaseError(
            f"the Python {libraries} missing on the controller",
            fix=f"install {'them' if len(missing) > 1 else 'it'} for the Python that runs Ansible: "
            f"{python} -m pip install {' '.join(shlex.quote(name + BOUNDS.get(name, '')) for name in missing)}",
        )


def _distribution(library: str) -> str:
    return DISTRIBUTIONS.get(library, library.replace("_", "-"))


def _others_missing(library: str) -> list[str]:
    """Return the other libraries that are absent, so that nobody has to install them one after another."""
    others = (name for name in _LIBRARIES if name not in (library, *OPTIONAL))
    return [name for name in others if not is_installed(name)]


def __getattr__(name: str) -> Any:
    """Import the library *name* when it is first asked for, so that no user waits for one that is not needed."""
    if name not in _LIBRARIES:
        raise AttributeError(name)
    is_in_python = name == "tomli" and sys.version_info >= (3, 11)
    try:
        library = _module("tomllib" if is_in_python else name)
        for submodule in _LIBRARIES[name]:
            _module(submodule)
    except ImportError:
        return _Absent(name)
    return library


def is_installed(name: str) -> bool:
    """Return whether the library *name* can be used. Raises AttributeError for a name that is none of them."""
    return not isinstance(__getattr__(name), _Absent)


def _module(name: str) -> Any:
    """Return a module, and at once if it is here: a signature is verified in a millisecond, and asks thirty times.

    Raises ImportError if it is absent.
    """
    module = sys.modules.get(name)
    if module is None or name not in _imported:
        module = importlib.import_module(name)
        _imported.add(name)
    return module
