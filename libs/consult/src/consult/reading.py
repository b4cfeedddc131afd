"""What the tools read of a record, and what each call would bring, told before it is made."""

from collections.abc import Iterable
from datetime import datetime

from grounding import Sources
from harness.readable import Readable, newest_first
from harness.tool import Tool
from harness.tools import TOOLS
from longitude.reasoning.v1.episode_pb2 import Reach
from longitude.record.v1.context_pb2 import RecordedFact

from consult.record import Record
from consult.rules.changes import last_encounter

LINES = 6


def readable(record: Record, sources: Sources) -> Readable:
    """The current facts of a record."""
    current = {fact.fact_id for fact in sources.current}
    facts = {one.fact.fact_id: one for one in record.timeline.facts if one.fact.fact_id in current}
    return Readable(facts, compared_with(record, sources))


def compared_with(record: Record, sources: Sources) -> datetime | None:
    """The last signed assessment, else the end of the last encounter; None at a first visit."""
    if record.signed is not None:
        return record.signed.signed_at
    last = last_encounter(sources)
    return last.over if last is not None else None


def brought(tool: str, fact_id: str, facts: Readable) -> list[RecordedFact]:
    """The facts that a call brings; KeyError for a fact that is not there or a tool that is not answered so."""
    read = TOOLS[tool].read
    if read is None:
        raise KeyError(tool)
    return newest_first(read(facts, fact_id))[:LINES]


def reach(shown: Iterable[str], facts: Readable) -> list[Reach]:
    """What each call about a shown fact would bring; of a search, what it could bring at most."""
    about = [fact_id for fact_id in dict.fromkeys(shown) if fact_id in facts.facts]
    within = (one for tool in TOOLS.values() for one in _reach(tool, about, facts))
    return [one for one in within if one.fact_ids]


def _reach(tool: Tool, about: Iterable[str], facts: Readable) -> Iterable[Reach]:
    if tool.at_most is not None:
        yield Reach(tool=tool.name, fact_ids=_ids(tool.at_most(facts)))
    if tool.read is None:
        return
    for fact_id in about if tool.kinds else [""]:
        if not tool.kinds or facts.facts[fact_id].fact.kind in tool.kinds:
            yield Reach(tool=tool.name, fact_id=fact_id, fact_ids=_ids(brought(tool.name, fact_id, facts)))


def _ids(facts: Iterable[RecordedFact]) -> list[str]:
    return [one.fact.fact_id for one in facts]
