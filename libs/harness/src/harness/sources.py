"""The sources of an episode under short handles: F1.. facts, E1.. passages, K1.. calculations, N1.. absences; A to Z
for the candidates of an editor, behind their lines, where a small network copies them best.

A source has a handle only when its line was given to the episode, is not withdrawn and not replaced: what has no handle
cannot be named, and so cannot be cited.
"""

import string
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from grounding.facts import in_time, known_since
from longitude.reasoning.v1.episode_pb2 import Calculation, Candidate, EpisodeInputs
from longitude.record.v1.context_pb2 import Context, Passage
from longitude.record.v1.fact_pb2 import ClinicalFact, CodedConcept, FactKind, FactStatus

# Before a candidate that stands in front where nothing is chosen.
_IN_FRONT = "* "
# Characters of a candidate that the editor reads.
_LONGEST = 44

Source = ClinicalFact | Passage | Calculation | CodedConcept


class SourcesRefusedError(Exception):
    """A context names what it does not hold."""


@dataclass(frozen=True)
class Line:
    """A line as the model sees it; `handle` is empty when the line cannot be cited."""

    handle: str
    text: str
    behind: bool = False

    def __str__(self) -> str:
        return (f"{self.text} {self.handle}" if self.behind else f"{self.handle} {self.text}").strip()


class Sources:
    """Grows while the episode runs (tools bring more); handles are given in order and never change."""

    def __init__(self, since: datetime | None) -> None:
        self.since = since
        self.facts: dict[str, ClinicalFact] = {}
        self.passages: dict[str, Passage] = {}
        self.lines: list[Line] = []
        self._sources: dict[str, Source] = {}
        self._shown_in: dict[str, int] = {}
        self.told: tuple[str, ...] = ()  # facts that the rules spoke of
        self.asked: frozenset[str] = frozenset()  # facts that the rules put as a question
        self._computable: dict[tuple[str, str], Calculation] = {}
        self._reach: dict[tuple[str, str], frozenset[str]] = {}
        self._replaced: set[str] = set()
        self._handle_of: dict[str, str] = {}
        self._candidates: dict[str, tuple[int, int]] = {}  # number and place of the line

    def add_context(self, context: Context) -> None:
        """Takes in a context pack or a tool's result; raises SourcesRefusedError before anything is taken."""
        self.know(context)
        for line in context.lines:
            self._add_line(line.text, line.fact_id, line.passage_id)
        for passage in context.passages:
            self._add_line(passage.title, "", passage.passage_id)

    def know(self, context: Context) -> None:
        """Takes in facts and passages without their lines, so that others may refer to them."""
        facts = self.facts | {held.fact.fact_id: held.fact for held in context.facts}
        passages = self.passages | {passage.passage_id: passage for passage in context.passages}
        for line in context.lines:
            if (line.fact_id and line.fact_id not in facts) or (line.passage_id and line.passage_id not in passages):
                raise SourcesRefusedError("a line names a fact or passage that the context does not hold")
        self.facts, self.passages = facts, passages
        self._replaced |= {held.fact.fact_id for held in context.facts if held.HasField("superseded_at")}

    def add_candidates(self, inputs: EpisodeInputs) -> None:
        """Takes in what the rules said, what tools could bring and what was looked for in vain."""
        for finding in inputs.findings:
            self.lines.append(Line("", _one_line(f"Rule: {finding.text}")))
        spoken_of = dict.fromkeys(fact_id for finding in inputs.findings for fact_id in finding.fact_ids)
        self.told = tuple(each for each in spoken_of if each in self.facts and self.holds(self.facts[each]))
        for calculation in inputs.calculations:
            self._check(calculation)
            if (calculation.about, calculation.purpose) in self._computable:
                raise SourcesRefusedError("two calculations about one fact for one purpose")
            self._computable[calculation.about, calculation.purpose] = calculation
        self._reach = {(each.tool, each.fact_id): frozenset(each.fact_ids) for each in inputs.reach}
        self.asked = frozenset(inputs.asked_fact_ids)
        for concept in inputs.absences:
            self._append("N", concept, f"not in the record: {concept.display or concept.code}")

    def offer(self, candidates: Sequence[Candidate]) -> None:
        """Gives a handle to each candidate that is not shown in any case, as far as there are letters."""
        letters = lettered(each.mandatory for each in candidates)
        for number, (candidate, handle) in enumerate(zip(candidates, letters, strict=True), 1):
            if not {*candidate.fact_ids, *candidate.passage_ids} <= self.facts.keys() | self.passages.keys():
                raise SourcesRefusedError("a candidate names a fact or passage that the context does not hold")
            if handle:
                self._candidates[handle] = (number, len(self.lines))
            if handle or candidate.mandatory:
                mark = _IN_FRONT if candidate.front else ""
                self.lines.append(Line(handle, f"{mark}{_shortened(candidate.text)}", behind=True))

    @property
    def candidates(self) -> Iterable[str]:
        """Handles of the candidates that may be chosen."""
        return self._candidates.keys()

    def candidate(self, handle: str) -> int | None:
        """The number of a candidate."""
        return self._candidates.get(handle, (None, 0))[0]

    def add_calculation(self, calculation: Calculation) -> None:
        """Takes in a value that `calculate` computed; it can be computed no more."""
        self._check(calculation)
        self._computable.pop((calculation.about, calculation.purpose), None)
        self._append("K", calculation, calculation.text or calculation.name)

    def computable(self, fact_id: str, purpose: str) -> Calculation | None:
        """What a call about this fact for this purpose would compute; None: nothing, or nothing new."""
        return self._computable.get((fact_id, purpose))

    def within_reach(self, tool: str, fact_id: str) -> frozenset[str]:
        """Facts without a handle that a call could bring, as far as is known; what does not hold never gets one."""
        reach = self._reach.get((tool, fact_id)) or self._reach.get((tool, ""), frozenset())
        new = reach - self._handle_of.keys()
        return frozenset(each for each in new if each not in self.facts or self.holds(self.facts[each]))

    def visible(self, prefix: str, lines: int) -> Iterator[str]:
        """Handles of one sort among the first `lines` lines."""
        return (h for h, index in self._shown_in.items() if h.startswith(prefix) and index < lines)

    def about(self, kinds: Container["FactKind.ValueType"], lines: int) -> Iterator[str]:
        """Handles of facts of these kinds among the first `lines` lines."""
        for handle in self.visible("F", lines):
            source = self._sources[handle]
            if isinstance(source, ClinicalFact) and source.kind in kinds:
                yield handle

    def get(self, handle: str, lines: int) -> Source | None:
        """The source of a handle that was shown among the first `lines` lines."""
        return self._sources[handle] if self._shown_in.get(handle, lines) < lines else None

    def results(self, concept: CodedConcept) -> list[ClinicalFact]:
        """Results of one code that hold, oldest first."""
        named = (concept.system, concept.code)
        same = (fact for fact in self.facts.values() if is_result(fact) and (fact.code.system, fact.code.code) == named)
        return sorted((fact for fact in same if self.holds(fact)), key=in_time)

    def is_new(self, fact: ClinicalFact) -> bool:
        """Whether the fact began to hold after the time changes are counted from; a result of no stated time, whether
        it was reported then. Another fact without a start may have been stated often before.
        """
        known = known_since(fact) if is_result(fact) or fact.HasField("valid_from") else None
        return self.since is not None and known is not None and known > self.since

    def holds(self, fact: ClinicalFact) -> bool:
        """Neither withdrawn nor replaced."""
        return fact.status != FactStatus.FACT_STATUS_ENTERED_IN_ERROR and fact.fact_id not in self._replaced

    def _check(self, calculation: Calculation) -> None:
        if not {calculation.about, *calculation.fact_ids} <= self.facts.keys():
            raise SourcesRefusedError("a calculation names a fact that the context does not hold")

    def _add_line(self, text: str, fact_id: str, passage_id: str) -> None:
        known = self._handle_of.get(fact_id or passage_id)
        if known is not None:
            return
        if fact_id and self.holds(self.facts[fact_id]):
            self._handle_of[fact_id] = self._append("F", self.facts[fact_id], text)
        elif passage_id:
            self._handle_of[passage_id] = self._append("E", self.passages[passage_id], text)
        else:
            self.lines.append(Line("", _one_line(text)))

    def _append(self, prefix: str, source: Source, text: str) -> str:
        handle = f"{prefix}{sum(held.startswith(prefix) for held in self._sources) + 1}"
        self._sources[handle] = source
        self._shown_in[handle] = len(self.lines)
        self.lines.append(Line(handle, _one_line(text)))
        return handle

    def drop_lines_from(self, length: int) -> int:
        """Forgets the lines (and their handles) from place `length` on; returns how many were forgotten."""
        dropped = len(self.lines) - length
        for handle in [handle for handle, index in self._shown_in.items() if index >= length]:
            del self._shown_in[handle], self._sources[handle]
            self._handle_of = {key: held for key, held in self._handle_of.items() if held != handle}
        self._candidates = {handle: held for handle, held in self._candidates.items() if held[1] < length}
        del self.lines[length:]
        return dropped


def lettered(mandatory: Iterable[bool]) -> list[str]:
    """The handle of each candidate, by whether it is shown in any case; empty where it is, or no letter is left."""
    letters = iter(string.ascii_uppercase)
    return ["" if each else next(letters, "") for each in mandatory]


def is_result(fact: ClinicalFact) -> bool:
    return fact.kind == FactKind.FACT_KIND_RESULT


def _shortened(text: str) -> str:
    """What a line is about stands at its beginning."""
    line = _one_line(text)
    return line if len(line) <= _LONGEST else line[:_LONGEST].rsplit(" ", 1)[0]


def _one_line(text: str) -> str:
    """A line is one line: a break in a text of the record cannot begin another."""
    return " ".join(text.split())
