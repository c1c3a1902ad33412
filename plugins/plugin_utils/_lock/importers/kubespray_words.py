# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does an address in Kubespray's download.yml say, with its words put in? Pure; runs on the controller.

Such addresses have ``{{ … }}`` in them. No template is run: the few forms that Kubespray has are read as text, and an
expression of any other form is an UnreadError.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_EXPRESSION = re.compile(r"\{\{ *(.*?) *\}\}", re.DOTALL)
_NAME = r"([A-Za-z_][A-Za-z0-9_]*)"
_VARIABLE = re.compile(rf"{_NAME}( *\| *lower)?\Z")
#: ``{{ 'static-' if containerd_static_binary }}``
_CONDITION = re.compile(rf"'([^'\\]*)' if {_NAME}(?: else '([^'\\]*)')?\Z")
#: ``{{ youki_version | regex_replace('\\.', '_') }}``, where YAML may have taken one of the backslashes.
_DOTS = re.compile(rf"{_NAME} *\| *regex_replace\('\\{{1,2}}\.', *'([^'\\]*)'\)\Z")
#: Variables that lead to others. A file of a stranger could have many, each with many in it.
_DEEPEST, _MOST_EXPRESSIONS, _LONGEST = 2, 16, 4096


class UnreadError(Exception):
    """An *expression* in an address that is of no known form, or whose variables are not known."""

    def __init__(self, expression: str) -> None:
        """Take the *expression*, as it stands there."""
        super().__init__(expression)
        self.expression = expression


@dataclass(frozen=True)
class Words:
    """What the expressions in an address stand for.

    version    what each variable stands for whose name ends in ``_version``: Kubespray calls some otherwise than the
               component (calico_ctl_version, kube_version)
    known      variable → its text
    truths     variable → whether it is true
    variables  what the file says of all other variables; their texts may have expressions in them
    """

    version: str
    known: Mapping[str, str] = field(default_factory=dict)
    truths: Mapping[str, bool] = field(default_factory=dict)
    variables: Mapping[str, object] = field(default_factory=dict)


def filled(template: str, words: Words, depth: int = 0) -> str:
    """Return *template* with *words* in the places of its expressions. Raises UnreadError for one that is not read."""
    if len(template) > _LONGEST or template.count("{{") > _MOST_EXPRESSIONS:
        raise UnreadError(template)
    text = _EXPRESSION.sub(lambda found: _meaning(found[1], words, depth), template)
    if any(begin in text for begin in ("{{", "{%", "{#")):
        raise UnreadError(template)
    return text


def _meaning(expression: str, words: Words, depth: int) -> str:
    variable, condition, dots = (form.match(expression) for form in (_VARIABLE, _CONDITION, _DOTS))
    if variable:
        text = _value(variable[1], words, depth)
        return text.lower() if variable[2] else text
    if dots:
        return _value(dots[1], words, depth).replace(".", dots[2])
    if condition and condition[2] in words.truths:
        return (condition[1] if words.truths[condition[2]] else condition[3]) or ""
    raise UnreadError(expression)


def _value(name: str, words: Words, depth: int) -> str:
    if name in words.known:
        return words.known[name]
    if name.endswith("_version"):
        return words.version
    value = words.variables.get(name)
    if not isinstance(value, str) or depth == _DEEPEST:
        raise UnreadError(name)
    return filled(value, words, depth + 1)
