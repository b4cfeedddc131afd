"""What the sources of a consultation keep of medical knowledge: the rows that hold here, and what they say."""

from collections.abc import Sequence
from typing import cast

from grounding import Sources
from knowledge import Finding, Knowledge, Row, shipped

_FINDINGS, _KNOWLEDGE = "findings of rows", "knowledge"


def keep(sources: Sources, spoken: Sequence[Finding], knowledge: Knowledge) -> Sources:
    """The sources, which keep what rows say of them."""
    sources.worked_out[_FINDINGS], sources.worked_out[_KNOWLEDGE] = list(spoken), knowledge
    return sources


def findings(sources: Sources) -> list[Finding]:
    """What the rows say; nothing for sources that no record gave."""
    return cast("list[Finding]", sources.worked_out.get(_FINDINGS, []))


def knowledge(sources: Sources) -> Knowledge:
    """The rows that hold here; those of the package for sources that no record gave."""
    return cast("Knowledge", sources.worked_out.get(_KNOWLEDGE) or shipped())


def row(sources: Sources, name: str) -> Row | None:
    """A row by family and id (`organs/biguanide-reassess`), if it speaks today."""
    family, _, identifier = name.partition("/")
    return knowledge(sources).row(family, identifier, sources.today)
