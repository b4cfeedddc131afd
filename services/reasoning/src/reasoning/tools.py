"""The reading tools of an episode: answered from the record, by memory's searches, or by a calculation.

None of them changes anything.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from grounding import Sources, UnknownSourceError
from grounding.render import cite_fact
from harness import CallTool, ToolResult
from longitude.record.v1.context_pb2 import Context, ContextLine, Passage, RecordedFact
from longitude.record.v1.fact_pb2 import PatientKey
from servicekit.errors import InvalidInputError, NotFoundError

from reasoning.adapters.memory import Memory
from reasoning.domain.computing import compute
from reasoning.domain.reading import LINES, Readable, before, brought, read_from
from reasoning.domain.record import Record

_LINE_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class RecordTools:
    """The tools that need nothing but the record."""

    held: Readable
    sources: Sources

    @classmethod
    def of(cls, record: Record) -> "RecordTools":
        sources = record.sources()
        return cls(Readable.of(record, sources), sources)

    def call(self, asked: CallTool) -> ToolResult:
        """NotFoundError: no such tool or fact. InvalidInputError: not computable from these facts."""
        try:
            return self._calculate(asked) if asked.tool == "calculate" else self._read(asked)
        except (KeyError, UnknownSourceError) as error:
            raise NotFoundError("no such tool or fact") from error
        except ValueError as error:
            raise InvalidInputError("it cannot be computed from these facts") from error

    def found_in(self, documents: frozenset[str]) -> ToolResult:
        """What a search of the notes brings: facts that were read from the documents it found."""
        return of_facts(read_from(documents, self.held))

    def _read(self, asked: CallTool) -> ToolResult:
        found = brought(asked.tool, asked.arguments["fact_id"], self.held)
        return of_facts(found, [earlier for each in found for earlier in before(each.fact, self.held)])

    def _calculate(self, asked: CallTool) -> ToolResult:
        name, fact_ids = asked.arguments["calculation"], asked.arguments["inputs"].split()
        value = compute(name, fact_ids, asked.arguments["fact_id"], asked.purpose, self.sources)
        inputs = [self.sources.recorded_fact(each) for each in fact_ids]
        return ToolResult(Context(facts=inputs), (value,))


class Tools:
    """All tools, bound to one patient and one record."""

    def __init__(self, memory: Memory, patient: PatientKey, record: Record) -> None:
        self._memory, self._patient = memory, patient
        self._of_record = RecordTools.of(record)

    async def call(self, asked: CallTool) -> ToolResult:
        """As RecordTools; UnavailableError when memory does not answer."""
        match asked.tool:
            case "search_evidence":
                return of_passages(await self._memory.evidence(asked.arguments["query"]))
            case "search_memory":
                hits = await self._memory.notes(self._patient, asked.arguments["query"])
                return self._of_record.found_in(frozenset(hit.document_id for hit in hits if hit.document_id))
            case _:
                return self._of_record.call(asked)


def of_facts(found: Sequence[RecordedFact], beside: Iterable[RecordedFact] = ()) -> ToolResult:
    """A line for each fact; those `beside` come without one."""
    lines = [ContextLine(text=_line(each), fact_id=each.fact.fact_id) for each in found]
    return ToolResult(Context(lines=lines, facts=[*found, *beside]))


def of_passages(passages: Iterable[Passage]) -> ToolResult:
    kept = list(passages)[:LINES]
    lines = [ContextLine(text=each.text[:_LINE_CHARACTERS], passage_id=each.passage_id) for each in kept]
    return ToolResult(Context(lines=lines, passages=kept))


def _line(recorded: RecordedFact) -> str:
    return cite_fact(recorded.fact).quote[:_LINE_CHARACTERS]
