"""The verifier: a text, what it cites, and the episode's sources in; a verdict per claim and for the whole out.

Guarantee: it reads the text as a stranger's. It never trusts that the text was rendered here; every number, unit, date,
name, side, negation, direction and remaining word is looked up again in what the text cites.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from longitude.ingestion.v1.clinical_fact_pb2 import ClinicalFact
from longitude.reasoning.v1.assessment_pb2 import Citation

from grounding import binding
from grounding.checks import (
    correction,
    direction,
    experiencer,
    kind,
    label,
    laterality,
    level,
    name,
    negation,
    quote,
    status,
    terms,
    value,
    when,
)
from grounding.checks.context import Context
from grounding.cited import Cited
from grounding.claims import Claim, Verdict, worst
from grounding.mentions import NameMention
from grounding.scan import Scanner
from grounding.sources import Sources

CHECKS: tuple[Callable[[Context], list[Claim]], ...] = (
    quote.check,
    name.check,
    kind.check,
    negation.check,
    value.check,
    correction.check,
    when.check,
    laterality.check,
    experiencer.check,
    status.check,
    direction.check,
    level.check,
    label.check,
    terms.check,
)
# Words that say openly that a replaced value is spoken of.
_SPEAKS_OF_THE_PAST = ("correct", "replace", "withdraw")


@dataclass(frozen=True, slots=True)
class Verified:
    """The claims of a text in order, and the verdict: the worst of them. A text without claims is unsupported."""

    claims: tuple[Claim, ...]
    verdict: Verdict

    @property
    def reason(self) -> str:
        """Why it is not supported, from the first claim that decided; empty when it is."""
        if self.verdict is Verdict.SUPPORTED:
            return ""
        for claim in self.claims:
            if claim.verdict is self.verdict:
                return f"{claim.check}: {claim.reason}"
        return "nothing in it can be checked"


class Verifier:
    """Verifies texts against the sources of one episode."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._scanner = Scanner(sources)

    def verify(self, text: str, citations: Iterable[Citation]) -> Verified:
        """A statement with its citations. Without any, nothing in it can be supported."""
        return self._verify(text, Cited.of(self._sources, citations))

    def verify_uncited(self, text: str) -> Verified:
        """A text of another system, against the whole record: it must be true of the patient, wherever it stands."""
        return self._verify(text, Cited.whole_record(self._sources))

    def _verify(self, text: str, cited: Cited) -> Verified:
        claims = [*self._of_citations(text, cited), *self._of_text(text, cited)]
        ordered = tuple(sorted(dict.fromkeys(claims), key=lambda claim: (claim.start, claim.end, claim.check)))
        return Verified(ordered, worst(ordered))

    def _of_text(self, text: str, cited: Cited) -> Iterator[Claim]:
        carried: NameMention | None = None
        for sentence in self._scanner.scan(text, cited.passages):
            context = Context(text, sentence, cited, carried)
            for check in CHECKS:
                yield from check(context)
            carried = binding.last_name(sentence, carried)

    def _of_citations(self, text: str, cited: Cited) -> Iterator[Claim]:
        if cited.missing:
            yield Claim(0, len(text), "citation", Verdict.UNSUPPORTED, "a cited source is not in this episode")
        if any(word in text.lower() for word in _SPEAKS_OF_THE_PAST):
            return
        for fact in cited.facts:
            if not self._is_current(fact):
                reason = "a later statement replaced or withdrew this entry"
                yield Claim(0, len(text), "citation", Verdict.CONTRADICTED, reason, (fact.fact_id,))

    def _is_current(self, fact: ClinicalFact) -> bool:
        return self._sources.is_current(fact.fact_id)
