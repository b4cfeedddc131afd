"""Which passages concern a question, so that one that does not is never offered as its answer.

A passage concerns a question when it is about the same drugs and persons (`scope`), its title has a word or a drug of
what is asked, it holds ENOUGH of it, and no other passage serves the question clearly better (NEARLY). What is asked
are the question's words, each weighing the more the fewer of the passages have it: a word that none has, such as a
drug that the library says nothing about, weighs most, and then nothing is cited. A passage serves by its words and,
as much, by how well its title agrees with the question: metformin around contrast is not about metformin alone. At
most MOST are given, the best first: a physician reads two.

Only words decide. Meaning (cosine) finds passages that are near; it cannot tell two drugs or two limits apart.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import fsum, log

from longitude.record.v1.context_pb2 import Passage
from terminology.concepts import RXNORM
from terminology.drugs import LONGITUDE

from consult.context import scope

ENOUGH, NEARLY, MOST = 0.6, 0.95, 2

_WORD = re.compile(r"[a-z0-9]+")
# Words that any question or passage may hold, whatever it is about.
_GENERAL = frozenset(
    _WORD.findall(
        "a about acceptable according advice advise advised age aged ages all allow allowed allows already "
        "also am among an and another any applies apply appropriate are as ask at be been but by can carries "
        "carry change changed changes come could count counts danger dangerous did do does done down drug "
        "drugs due during each ever every evidence find fit fits for found from get give given go goes "
        "guideline had harmful has have he help helped helps her here high him his how i if in interact "
        "interaction interacts into is it its large least like likely long look low make many may mean means "
        "medication medications medicine medicines might more most much must need needed next no not now of "
        "often on one only or other our over patient patients people please possible prefer preferred put "
        "rather recommend recommendation recommended safe say says see seen she should show shows since so "
        "some soon still such suggested take taken tell than that the their them then there these they think "
        "this those through to together tomorrow too treatment under until up us use used using very want was "
        "way we were what when where whether which while who whose why will with without work would you your"
    )
)
_ENDINGS = ("ations", "ation", "itions", "ition", "ings", "ing", "ied", "ies", "ed", "es", "e", "s")
_SHORTEST_STEM = 4
# Texts whose words are remembered: the passages of a library and the names of some records.
_TEXTS = 16_384
_SCREENING = frozenset({"screen"})


@dataclass(frozen=True, slots=True)
class Relevance:
    """0 to 1: the share of what is asked that the passage `holds`, and how it `serves` (its title counts as much).

    Both are 0 of a passage about other drugs or persons, or whose title has no word or drug of what is asked.
    """

    passage: Passage
    holds: float
    serves: float


def concerning(question: str, passages: Sequence[Passage]) -> list[Passage]:
    """Those of the passages that concern the question, the best first."""
    measured = measure(question, passages)
    best = max((each.serves for each in measured), default=0.0)
    return [each.passage for each in measured if each.holds >= ENOUGH and each.serves >= NEARLY * best][:MOST]


def measure(question: str, passages: Sequence[Passage]) -> list[Relevance]:
    """The relevance of each passage among all of them, the best first."""
    asked = terms(question)
    bodies = [_with_ages(question, each, terms(_body(each))) for each in passages]
    held = Counter(term for body in bodies for term in body)

    def share(wanted: frozenset[str], there: frozenset[str]) -> float:
        whole = weigh(wanted)
        return weigh(wanted & there) / whole if whole else 0.0

    def weigh(some: frozenset[str]) -> float:
        return fsum(log((len(passages) + 1) / (held[term] + 0.5)) for term in some)

    def relevance(passage: Passage, body: frozenset[str]) -> Relevance:
        title = _with_ages(question, passage, terms(passage.title))
        holds, agreement = share(asked, body), _agreement(share(asked, title), share(title, asked))
        titled = agreement or scope.titled_alike(question, passage.title)
        if not titled or not _of_one_scope(question, passage, title, body):
            return Relevance(passage, 0, 0)
        return Relevance(passage, holds, (holds + agreement) / 2)

    measured = [relevance(passage, body) for passage, body in zip(passages, bodies, strict=True)]
    return sorted(measured, key=lambda each: (-each.serves, each.passage.passage_id))


@lru_cache(_TEXTS)
def terms(text: str) -> frozenset[str]:
    """The words of a text that say what it is about, without their endings."""
    return frozenset(stem(word) for word in _WORD.findall(text.casefold()) if word not in _GENERAL)


def stem(word: str) -> str:
    """A word of lower case without its ending."""
    ending = next((each for each in _ENDINGS if word.endswith(each) and len(word) - len(each) >= _SHORTEST_STEM), "")
    left = word.removesuffix(ending)
    return left[:-1] if len(left) > _SHORTEST_STEM and left[-1] == left[-2] else left


def _with_ages(question: str, passage: Passage, words: frozenset[str]) -> frozenset[str]:
    """The words and, as if they were among them, the ages asked about that the passage's population has."""
    return words | scope.ages_met(question, passage.population)


def _of_one_scope(question: str, passage: Passage, title: frozenset[str], body: frozenset[str]) -> bool:
    # Who asks about a person of an age that a recommendation is for asks what is due at it.
    implied = title & _SCREENING if scope.ages_met(question, passage.population) else frozenset()
    return (
        scope.narrowed_alike(terms(question) | implied, title, body)
        and scope.of_an_age(question, passage.population)
        and scope.same_drugs(question, passage.title, _body(passage))
    )


def _body(passage: Passage) -> str:
    """All its words, and the names of the drugs that it is about; what a code calls a problem is not its own words."""
    pico = (passage.population, passage.intervention, passage.comparison, passage.outcome)
    drugs = (code.display for code in passage.codes if code.system in (RXNORM, LONGITUDE))
    return ". ".join([passage.title, passage.text, *pico, *drugs])


def _agreement(one: float, other: float) -> float:
    """Their harmonic mean."""
    return 2 * one * other / (one + other) if one and other else 0.0
