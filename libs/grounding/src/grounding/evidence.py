"""The words of what a sentence cites, as a trained model reads them: whole lines, the nearest ones where they are many.

Guarantee: every number, unit, day, status and negation of a chosen line stands in it; nothing is paraphrased.
"""

from collections.abc import Iterable, Sequence
from itertools import accumulate

from longitude.record.v1.context_pb2 import Passage
from longitude.record.v1.fact_pb2 import ClinicalFact

from grounding import facts
from grounding.render import cite_fact
from grounding.spans import sentences
from grounding.vocabulary import words

# Characters that the model is shown at most, about 100 tokens; more would be cut off unread.
CHARACTERS = 450


def of(sentence: str, cited: Iterable[ClinicalFact], passages: Iterable[Passage]) -> str:
    """Lines of the cited facts and sentences of the cited passages; empty if nothing is cited."""
    lines = [line(fact) for fact in cited]
    for passage in passages:
        lines += [span.of(passage.text) for span in sentences(passage.text, clauses=False)]
    return "; ".join(nearest(sentence, lines))


def line(fact: ClinicalFact) -> str:
    """A fact as it is quoted, and whether it is over or only ordered."""
    end = facts.ends_on(fact)
    state = f"ended {end.isoformat()}" if end else "ended" if facts.has_ended(fact) else ""
    said = (cite_fact(fact).quote, "ordered" if facts.is_order(fact) else "", state)
    return " ".join(part for part in said if part)


def nearest(sentence: str, lines: Sequence[str], characters: int = CHARACTERS) -> list[str]:
    """The lines that share most words and numbers with a sentence, in their own order; of equals, the first."""
    wanted = _tokens(sentence)
    ranked = sorted(range(len(lines)), key=lambda place: (-len(wanted & _tokens(lines[place])), place))
    lengths = accumulate(len(lines[place]) for place in ranked)
    chosen = [place for place, length in zip(ranked, lengths, strict=True) if length <= characters]
    return [lines[place] for place in sorted(chosen or ranked[:1])]


def _tokens(text: str) -> frozenset[str]:
    numbers = {each.strip(".,;()") for each in text.split() if any(map(str.isdigit, each))}
    return words(text) | numbers
