"""The reading tools of an episode: answered from the record, by a search or a calculation. None changes anything."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from grounding import Sources, UnknownSourceError
from grounding.render import cite_fact
from harness import CallTool, Failed, ToolResult
from harness.readable import Readable, newest_first
from harness.tools import TOOLS, calculate
from longitude.record.v1.context_pb2 import Context, ContextLine, Passage, RecordedFact

from consult.computing import compute
from consult.context.ranking import Question, by_word
from consult.reading import LINES, brought, readable
from consult.record import Record

_LINE_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class RecordTools:
    """The tools that need nothing but the record."""

    readable: Readable
    sources: Sources

    @classmethod
    def of(cls, record: Record, sources: Sources | None = None) -> "RecordTools":
        """`sources`: those of the record, where they are at hand."""
        sources = sources or record.sources()
        return cls(readable(record, sources), sources)

    def answer(self, call: CallTool) -> ToolResult | Failed:
        """Failed where there is no such tool or fact, or nothing can be computed from the facts named."""
        try:
            return self._calculate(call) if call.tool == calculate.NAME else self._read(call)
        except (KeyError, UnknownSourceError):
            return Failed("not found")
        except ValueError:
            return Failed("refused")

    def found_in(self, documents: frozenset[str]) -> ToolResult:
        """What a search of the notes brings: facts that were read from the documents it found."""
        return of_facts(newest_first(self.readable.read_from(documents))[:LINES])

    def _read(self, call: CallTool) -> ToolResult:
        read = brought(call.tool, call.arguments["fact_id"], self.readable)
        return of_facts(read, [earlier for one in read for earlier in self.readable.before(one.fact)])

    def _calculate(self, call: CallTool) -> ToolResult:
        name, fact_ids = call.arguments["calculation"], call.arguments["inputs"].split()
        value = compute(name, fact_ids, call.arguments["fact_id"], call.purpose, self.sources)
        inputs = [self.sources.recorded_fact(each) for each in fact_ids]
        return ToolResult(Context(facts=inputs), (value,))


class Search(Protocol):
    """Memory's two searches, for drivers that have the answers at hand."""

    def evidence(self, query: str) -> Iterable[Passage]:
        """The best passages for a query."""

    def documents(self, query: str) -> frozenset[str]:
        """The ids of the documents that a search of the patient's notes finds."""


@dataclass(frozen=True, slots=True)
class Tools:
    """All tools, bound to one record and one way to search."""

    of_record: RecordTools
    search: Search

    @classmethod
    def offline(
        cls, record: Record, library: Iterable[Passage] | None = None, sources: Sources | None = None
    ) -> "Tools":
        """`library`: the evidence that can be found; without one, what stands in the record and its context."""
        at_hand = (*record.context.passages, *record.passages) if library is None else library
        of_record = RecordTools.of(record, sources)
        passages = {each.passage_id: each for each in at_hand}
        return cls(of_record, WordSearch(tuple(passages.values()), of_record.readable))

    def answer(self, call: CallTool) -> ToolResult | Failed:
        tool = TOOLS.get(call.tool)
        match tool.search if tool else None:
            case "evidence":
                return of_passages(self.search.evidence(call.arguments["query"]))
            case "documents":
                return self.of_record.found_in(self.search.documents(call.arguments["query"]))
            case _:
                return self.of_record.answer(call)


@dataclass(frozen=True, slots=True)
class WordSearch:
    """Searches without an embedder: passages by word and concept, and every document of the record."""

    library: Sequence[Passage]
    readable: Readable

    def evidence(self, query: str) -> list[Passage]:
        return by_word(Question(query), self.library)

    def documents(self, _: str) -> frozenset[str]:
        sources = (each.fact.source.document_id for each in self.readable.facts.values())
        return frozenset(each for each in sources if each)


def of_facts(shown: Sequence[RecordedFact], beside: Iterable[RecordedFact] = ()) -> ToolResult:
    """A line for each fact; those `beside` come without one."""
    lines = [ContextLine(text=_line(each), fact_id=each.fact.fact_id) for each in shown]
    return ToolResult(Context(lines=lines, facts=[*shown, *beside]))


def of_passages(passages: Iterable[Passage]) -> ToolResult:
    kept = list(passages)[:LINES]
    lines = [ContextLine(text=each.text[:_LINE_CHARACTERS], passage_id=each.passage_id) for each in kept]
    return ToolResult(Context(lines=lines, passages=kept))


def _line(recorded: RecordedFact) -> str:
    return cite_fact(recorded.fact).quote[:_LINE_CHARACTERS]
