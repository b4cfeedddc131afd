"""The licence of a package as an SPDX expression, and whether the product may carry it (licences.toml beside this)."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING

from license_expression import AND, OR, ExpressionError, get_spdx_licensing

from supply import places

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_SPDX = get_spdx_licensing()
_CLASSIFIER = "License :: "


@dataclass(frozen=True)
class Policy:
    """Licences that may be passed on, those of tools that stay here, and what texts and packages mean."""

    shipped: frozenset[str]
    tools: frozenset[str]
    texts: Mapping[str, str]
    packages: Mapping[str, str]

    def allows(self, expression: str, *, shipped: bool) -> bool:
        """Whether every licence that binds is allowed; of a choice (OR) one is enough."""
        allowed = self.shipped if shipped else self.shipped | self.tools
        return _holds(_SPDX.parse(expression), allowed)

    def meaning(self, name: str, words: list[str]) -> str | None:
        """The expression for what a package says of itself; None where that names no licence of SPDX."""
        if name in self.packages:
            return self.packages[name]
        return next((self.texts[text] for text in words if text in self.texts), None)


def read_policy(file: Path = places.LICENCES) -> Policy:
    """The policy as it is written down."""
    told = tomllib.loads(file.read_text(encoding="utf-8"))
    return Policy(frozenset(told["shipped"]), frozenset(told["tools"]), told["texts"], told["packages"])


def _holds(node: object, allowed: frozenset[str]) -> bool:
    if isinstance(node, OR):
        return any(_holds(each, allowed) for each in node.args)
    if isinstance(node, AND):
        return all(_holds(each, allowed) for each in node.args)
    return str(node) in allowed


class Licences:
    """Licences by package: as installed here, or, for what vLLM alone needs and is not, as recorded from its wheels."""

    def __init__(self, policy: Policy, recorded: Mapping[str, str]) -> None:
        self._policy = policy
        self._recorded = recorded

    def of(self, name: str) -> str | None:
        """An SPDX expression, or None: nobody says."""
        try:
            told = metadata.metadata(name)
        except metadata.PackageNotFoundError:
            return self._recorded.get(name)
        classifiers = [text for text in told.get_all("Classifier", []) if text.startswith(_CLASSIFIER)]
        expression, text = (next(iter(told.get_all(field, [])), None) for field in ("License-Expression", "License"))
        return expression_of(self._policy, name, expression, text, classifiers)


def read_recorded(file: Path = places.VLLM_LICENCES) -> dict[str, str]:
    """Licences of packages that are installed in Triton's image alone, by name."""
    recorded: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    return recorded


def expression_of(
    policy: Policy, name: str, expression: str | None, text: str | None, classifiers: list[str]
) -> str | None:
    """What a package's metadata says of its licence: its own expression, what the tables know of it, or its text."""
    words = [text or "", *(classifier.rpartition(" :: ")[2] for classifier in classifiers)]
    return expression or policy.meaning(name, words) or _spdx(text)


def _spdx(text: str | None) -> str | None:
    """The text itself where it is an expression of identifiers that SPDX knows."""
    if not text or "\n" in text:
        return None
    try:
        known = not _SPDX.unknown_license_keys(text)
    except ExpressionError:
        return None
    return str(_SPDX.parse(text)) if known else None
