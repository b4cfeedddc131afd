"""The kinds of statement: each module of this folder is one. Rules and agents share its wording."""

from collections.abc import Mapping

from grounding.folder import declared
from grounding.kind import Kind

_ALL = declared(__name__, "KIND", Kind)
# First word of the action -> the kind.
KINDS: Mapping[str, Kind] = {each.word: each for each in _ALL}
assert len(KINDS) == len({each.proto for each in _ALL}) == len(_ALL), "a word or a number belongs to one kind"
