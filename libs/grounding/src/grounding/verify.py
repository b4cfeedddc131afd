"""The verifier: a text, what it cites, and the episode's sources in; a verdict per claim and for the whole out.

Guarantee: it reads the text as a stranger's. It never trusts that the text was rendered here; every number, unit, date,
name, side, negation, direction and remaining word is looked up again in what the text cites. Where what it would look
in is missing, it abstains and says what is missing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from longitude.reasoning.v1.assessment_pb2 import Citation
from longitude.record.v1.fact_pb2 import ClinicalFact

from grounding import reader, relations
from grounding.cited import Cited
from grounding.claims import Claim, Verdict, worst
from grounding.comparing.record import Record
from grounding.sources import Sources
from grounding.spans import sentences

# Words that say openly that a replaced value is spoken of.
_SPEAKS_OF_THE_PAST = ("correct", "replace", "withdraw")


@dataclass(frozen=True, slots=True)
class Verified:
    """The claims of a text in order, and the verdict: the worst of them. A text without claims is unsupported."""

    claims: tuple[Claim, ...]
    verdict: Verdict

    @property
    def reason(self) -> str:
        """Why it is not supported, from the claim that decided: what is missing first, else the first of the text."""
        if self.verdict is Verdict.SUPPORTED:
            return ""
        deciding = [claim for claim in self.claims if claim.verdict is self.verdict]
        deciding.sort(key=lambda claim: not claim.abstained)
        return next((f"{claim.check}: {claim.reason}" for claim in deciding), "nothing in it can be checked")

    @property
    def abstained(self) -> bool:
        """Whether it is unsupported because what would decide is missing."""
        return self.verdict is Verdict.UNSUPPORTED and any(claim.abstained for claim in self.claims)


class Verifier:
    """Verifies texts against the sources of one episode, each once however often it is asked about."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._whole = Record(sources, sources.current, passages=sources.passages)
        self._verified: dict[tuple[str, tuple[bytes, ...]], Verified] = {}

    @cached_property
    def record(self) -> Record:
        """Everything current of the patient, as assertions are compared with it."""
        return self._whole

    def verify(self, text: str, citations: Iterable[Citation]) -> Verified:
        """A statement with its citations. Without any, nothing in it can be supported."""
        cited = tuple(citations)
        asked = (text, tuple(each.SerializeToString(deterministic=True) for each in cited))
        if asked not in self._verified:
            self._verified[asked] = self._verify(text, Cited.of(self._sources, cited), whole=False)
        return self._verified[asked]

    def verify_uncited(self, text: str) -> Verified:
        """A text of another system, against the whole record: it must be true of the patient, wherever it stands."""
        return self._verify(text, Cited.whole_record(self._sources), whole=True)

    def _verify(self, text: str, cited: Cited, *, whole: bool) -> Verified:
        read = self._of_sentences(text, cited, whole=whole)
        claims = [*_of_context(text, cited), *self._of_citations(text, cited), *read]
        ordered = tuple(sorted(dict.fromkeys(claims), key=lambda claim: (claim.start, claim.end, claim.check)))
        return Verified(ordered, worst(ordered))

    def _of_sentences(self, text: str, cited: Cited, *, whole: bool) -> Iterator[Claim]:
        record = self._whole
        if not whole:
            record = Record(self._sources, cited.facts, cited=True, passages=cited.passages, everything=self._whole)
        for span in sentences(_masked(text, record), clauses=False):
            for claim in reader.claims(span.of(text), record):
                yield replace(claim, start=claim.start + span.start, end=claim.end + span.start)

    def _of_citations(self, text: str, cited: Cited) -> Iterator[Claim]:
        if any(word in text.lower() for word in _SPEAKS_OF_THE_PAST):
            return
        for fact in cited.facts:
            if not self._is_current(fact):
                reason = "a later statement replaced or withdrew this entry"
                yield Claim(0, len(text), "citation", Verdict.CONTRADICTED, reason, (fact.fact_id,))

    def _is_current(self, fact: ClinicalFact) -> bool:
        return self._sources.is_current(fact.fact_id)


def _masked(text: str, record: Record) -> str:
    """The text without the marks within titles and names, which end no sentence."""
    marked = (*record.known.titles, *(each for each in record.known.questions if each.endswith("?")))
    text = relations.pattern().sub(lambda match: "x" * len(match.group()), text)
    for each in marked:
        at = text.lower().find(each.lower())
        if at >= 0:
            text = text[:at] + "x" * len(each) + text[at + len(each) :]
    return text


def _of_context(text: str, cited: Cited) -> Iterator[Claim]:
    """Abstains where there is nothing, or not all, to look in."""
    missing = ""
    if cited.missing:
        missing = "a cited source is not in this episode"
    elif not cited.facts and not cited.passages:
        missing = "nothing is cited, so that there is nothing to look in"
    if missing and text:
        yield Claim(0, len(text), "citation", Verdict.UNSUPPORTED, missing, abstained=True)
