"""The kinds of statement: each module of this folder is one. Rules and agents share its wording."""

import pkgutil
from collections.abc import Iterator, Mapping
from importlib import import_module

from grounding.kind import Kind


def _read() -> Iterator[Kind]:
    for module in sorted(each.name for each in pkgutil.iter_modules(__path__)):
        yield import_module(f"{__name__}.{module}").KIND


_ALL: tuple[Kind, ...] = tuple(_read())
# First word of the action -> the kind.
KINDS: Mapping[str, Kind] = {each.word: each for each in _ALL}
assert len(KINDS) == len({each.proto for each in _ALL}) == len(_ALL), "a word or a number belongs to one kind"
