# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does a JSON value say exactly a value of ours? The types of our own values are the schema. Pure; controller.

For notes that nobody but this collection writes, and that no person corrects: where a note does not fit, it is thrown
away, so nothing is said but that. A dataclass or named tuple is the list of its fields' values, in their order: whoever
keeps a note also keeps which version of the types wrote it. What people write is read by document.py.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from functools import cache, partial
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError

T = TypeVar("T")
#: Returns the value that a JSON value says; raises ValueError where it says none of the type.
_Reader = Callable[[object], Any]


def as_json(value: object) -> Any:
    """Return what JSON can hold of *value*, of which read_typed() makes an equal value.

    Raises TypeError for a value that is, or holds, none of the types that read_typed() knows.
    """
    if value is None or isinstance(value, (str, int)):
        return value
    if isinstance(value, ReleaseError):
        return [value.what, value.expected, value.found, value.fix]
    if isinstance(value, (tuple, list)):
        return [as_json(item) for item in value]
    if isinstance(value, frozenset):
        return sorted(as_json(item) for item in value)
    if isinstance(value, Mapping):
        return {_key(key): as_json(item) for key, item in value.items()}
    if dataclasses.is_dataclass(value):
        return [as_json(getattr(value, field.name)) for field in dataclasses.fields(value)]
    raise TypeError(f"JSON holds no {type(value).__name__}")


def read_typed(kind: type[T], value: object) -> T:
    """Return the value of type *kind* that the JSON *value* says: of str, int, bool, Literal, unions and collections.

    A ReleaseError comes back as one, whatever its subclass was. Raises ValueError where *value* says anything else, and
    TypeError for a *kind* that is not known here.
    """
    said: T = _reader(cast(Hashable, kind))(value)
    return said


@cache
def _reader(kind: Any) -> _Reader:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return partial(_one_of, [_reader(argument) for argument in arguments])
    if origin is Literal:
        return partial(_word, frozenset(arguments))
    if origin is tuple and arguments[-1] is not Ellipsis:
        return partial(_fields, [_reader(argument) for argument in arguments], lambda *values: values)
    if origin in (tuple, list, frozenset):
        return partial(_items, _reader(arguments[0]), origin)
    if origin in (dict, Mapping) and arguments[0] is str:
        return partial(_mapping, _reader(arguments[1]))
    if kind in (str, int, bool, NoneType):
        return partial(_exactly, kind)
    if kind is ReleaseError:
        return partial(_fields, [_reader(str), *[_reader(str | None)] * 3], ReleaseError)
    if dataclasses.is_dataclass(kind) or hasattr(kind, "_fields"):
        return partial(_fields, [_reader(field) for field in get_type_hints(kind).values()], kind)
    raise TypeError(f"no reader for {kind}")


def _exactly(kind: type, value: object) -> object:
    # True is an int to Python.
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ValueError(f"no {kind.__name__}")
    return value


def _word(words: frozenset[str], value: object) -> object:
    if not isinstance(value, str) or value not in words:
        raise ValueError("no such word")
    return value


def _one_of(readers: Sequence[_Reader], value: object) -> object:
    for read in readers:
        with contextlib.suppress(ValueError):
            return read(value)
    raise ValueError("none of these")


def _items(read: _Reader, made_of: Callable[[Iterable[Any]], Any], value: object) -> object:
    if not isinstance(value, list):
        raise ValueError("no list")
    return made_of(map(read, value))


def _mapping(read: _Reader, value: object) -> object:
    if not isinstance(value, dict):
        raise ValueError("no object")
    return {key: read(inner) for key, inner in value.items()}


def _fields(readers: Sequence[_Reader], made_of: Callable[..., Any], value: object) -> object:
    if not isinstance(value, list) or len(value) != len(readers):
        raise ValueError(f"no list of {len(readers)}")
    return made_of(*[read(inner) for read, inner in zip(readers, value, strict=True)])


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise TypeError(f"a key is {type(key).__name__}")
    return key
