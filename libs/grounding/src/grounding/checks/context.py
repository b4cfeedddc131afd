"""What a check is given, and the ways it answers."""

from collections.abc import Iterable
from dataclasses import dataclass

from longitude.record.v1.fact_pb2 import ClinicalFact

from grounding.binding import BoundNumber
from grounding.checks.candidates import Candidate, agrees
from grounding.cited import Cited, ids
from grounding.claims import Claim, Verdict
from grounding.mentions import Mention, NameMention, Sentence


@dataclass(frozen=True, slots=True)
class Context:
    """One sentence of a text, with what the whole text cites. `carried`: the last name of the sentence before."""

    text: str
    sentence: Sentence
    cited: Cited
    carried: NameMention | None = None

    @property
    def words(self) -> str:
        return self.sentence.span.of(self.text)

    @property
    def words_beside_names(self) -> str:
        """The sentence with its names blanked: what a name holds (`in the past week`) is not said beside it."""
        text, at = self.words, self.sentence.span.start
        for name in (each for each in self.sentence.mentions if isinstance(each, NameMention)):
            text = text[: name.start - at] + " " * (name.end - name.start) + text[name.end - at :]
        return text

    def meant(self, bound: BoundNumber) -> list[Candidate]:
        """The cited values that a number of the text may be, of whatever day; of any concept where none is named."""
        return [
            each
            for each in self.cited.candidates
            if agrees(bound.number, each) and (bound.name is None or each.keys & bound.name.keys)
        ]

    def before(self, mention: Mention, characters: int = 24) -> str:
        """The sentence's text just before a mention, lower case."""
        return self.text[max(self.sentence.span.start, mention.start - characters) : mention.start].lower()


def supported(mention: Mention, check: str, facts: Iterable[ClinicalFact] = (), reason: str = "") -> Claim:
    return Claim(mention.start, mention.end, check, Verdict.SUPPORTED, reason, ids(tuple(facts)))


def contradicted(mention: Mention, check: str, reason: str, facts: Iterable[ClinicalFact] = ()) -> Claim:
    return Claim(mention.start, mention.end, check, Verdict.CONTRADICTED, reason, ids(tuple(facts)))


def unsupported(mention: Mention, check: str, reason: str) -> Claim:
    return Claim(mention.start, mention.end, check, Verdict.UNSUPPORTED, reason)
