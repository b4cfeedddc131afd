"""What the typed checks leave undecided, as pairs for a trained model, and what its judgement changes.

Guarantee: only words that no typed check knows are put to the model, only where nothing else in their sentence is
refused; a judgement touches no typed verdict, lifts nothing, and can only lower how sure the verifier is of a refusal.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from grounding import evidence
from grounding.cited import Cited
from grounding.claims import Claim, Verdict

# The check that refuses words which no cited fact has.
TERM = "term"


@dataclass(frozen=True, slots=True)
class Pair:
    """A sentence and the words of what it cites: the whole input of the model."""

    sentence: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """The model's calibrated probabilities; they sum to one."""

    supported: float
    contradicted: float
    unsupported: float


Judgements = Mapping[Pair, Judgement]


@dataclass(frozen=True, slots=True)
class Open:
    """Characters [start, end) of a sentence with words that no typed check knows, and what to ask about it."""

    start: int
    end: int
    pair: Pair


def opened(start: int, sentence: str, claims: Iterable[Claim], cited: Cited) -> Open | None:
    """None where the typed checks refuse more than unknown words, or have nothing to show the model."""
    refused = {claim.check for claim in claims if claim.verdict is not Verdict.SUPPORTED}
    shown = evidence.of(sentence, cited.facts, cited.passages) if refused == {TERM} else ""
    return Open(start, start + len(sentence), Pair(sentence, shown)) if shown else None


def judged(claim: Claim, opens: Iterable[Open], judgements: Judgements) -> Claim:
    """The claim, less sure of its refusal by what the model finds supported in its sentence."""
    if claim.check != TERM:
        return claim
    asked = (each.pair for each in opens if each.start <= claim.start < each.end)
    sure = (1 - judgements[pair].supported for pair in asked if pair in judgements)
    return replace(claim, probability=min([claim.probability, *sure]))
