"""Questions with gold from any record, by templates and words: the same seed gives the same questions."""

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, zip_longest

from longitude.record.v1.context_pb2 import RecordedFact

from testkit.questions import about_drugs, about_events, about_results
from testkit.questions.chart import Chart
from testkit.questions.draft import Draft
from testkit.questions.question import Question
from testkit.questions.tables import wordings

Maker = Callable[[Chart], Iterator[Draft]]
MAKERS: Mapping[str, Maker] = {
    "state": about_results.state,
    "trend": about_results.trend,
    "when first/last": about_events.when,
    "medication reconciliation": about_drugs.reconciliation,
    "medication feedback": about_results.feedback,
    "allergy": about_drugs.allergy,
    "suitability": about_drugs.suitability,
    "false premise": about_drugs.premise,
    "absence": about_events.absence,
    "immunisation": about_events.immunisation,
    "screening": about_events.screening,
    "change": about_events.change,
    "summary for referral": about_results.summary,
}
KINDS = tuple(MAKERS)
# Words for the patient by administrative sex.
_PERSONS = {"M": ("he", "his", "him"), "F": ("she", "her", "her")}
_PERSON = ("the patient", "the patient's", "the patient")
# Wordings that a question has beside its own.
PARAPHRASES = 4


def questions(patient: str, recorded: Iterable[RecordedFact], seed: int, most: int) -> list[Question]:
    """At most so many about one patient, the kinds in turn, each about something else; with paraphrases."""
    chart = Chart.of(patient, recorded)
    chance = random.Random(f"{patient}/{seed}")  # noqa: S311 - no secret
    drafts = [_shuffled(maker(chart), chance) for maker in MAKERS.values()]
    in_turn = [draft for draft in chain.from_iterable(zip_longest(*drafts)) if draft][:most]
    return [_asked(chart, draft, f"{patient}-{number}", chance) for number, draft in enumerate(in_turn, 1)]


def _shuffled(drafts: Iterable[Draft], chance: random.Random) -> list[Draft]:
    """One of each way to ask before the second of any."""
    by_asked: dict[str, list[Draft]] = defaultdict(list)
    for draft in drafts:
        by_asked[draft.asked].append(draft)
    groups = [chance.sample(group, len(group)) for group in by_asked.values()]
    return [draft for draft in chain.from_iterable(zip_longest(*chance.sample(groups, len(groups)))) if draft]


def _asked(chart: Chart, draft: Draft, name: str, chance: random.Random) -> Question:
    texts = _wordings(chart, draft, chance)
    return Question(
        name,
        chart.patient,
        draft.kind,
        texts[0],
        draft.gold,
        draft.topic,
        draft.codes | frozenset(each.code for each in draft.gold if each.code),
        draft.must_not,
        tuple(texts[1 : PARAPHRASES + 1]),
    )


def _wordings(chart: Chart, draft: Draft, chance: random.Random) -> list[str]:
    """Every template once, in any order, each with words drawn for its braces."""
    templates = [*wordings(draft.asked), *draft.questions]
    filled = (_filled(each, chart.sex, draft.slots, chance) for each in chance.sample(templates, len(templates)))
    return list(dict.fromkeys(filled))


def _filled(template: str, sex: str, slots: Mapping[str, Sequence[str]], chance: random.Random) -> str:
    he, his, him = _PERSONS.get(sex, _PERSON)
    drawn = {name: chance.choice(words) for name, words in slots.items()}
    text = template.format(he=he, his=his, him=him, He=he.capitalize(), **drawn)
    return text[:1].upper() + text[1:]
