"""What a record has on an inquiry: facts of one concept as a group, with how much each concerns the question.

Guarantee: every fact in force is looked at, of every kind; a group holds all entries of its concept, oldest first.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from grounding import Sources, facts
from grounding import keys as keys_
from grounding.kinds import trend
from grounding.reading import names
from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.fact_pb2 import ClinicalFact
from terminology import areas, units
from terminology.areas import Area

from consult import concepts
from consult.answering.inquiry import Form, Inquiry, area_keys
from consult.answering.wording import SOCIAL
from consult.context.relevance import terms

_NEVER = frozenset({pb.FACT_KIND_DEMOGRAPHIC, pb.FACT_KIND_DOCUMENT, pb.FACT_KIND_ENCOUNTER})
# What a name in the question is worth, what an area is, and how much each further member of an area is worth less.
NAMED, OF_CLASS, OF_AREA, LESS = 10.0, 9.0, 6.0, 0.35
OF_DRUG_AREA, OF_PROCEDURE = 5.5, 5.0
BY_WORDS = 9.0
# What happened on a day of what is named; entries of what is seldom; kinds that have such days, and that share them.
OF_DAY, _SELDOM = 4.0, 12
_SHARING = frozenset({pb.FACT_KIND_PROBLEM, pb.FACT_KIND_PROCEDURE})
_SHARED = frozenset({pb.FACT_KIND_MEDICATION, pb.FACT_KIND_PROCEDURE})
# Of two that are named, the more telling of its area and the shorter name first; longer ones are surveys' questions.
_BESIDE, _A_WORD, _LONGEST = 0.25, 0.02, 12
# Doses in units of weight say the strength.
_WEIGHT = "mg"
# Circumstances that surveys ask for, and reminders.
NO_NEWS = frozenset({SOCIAL, "http://snomed.info/sct|314529007"})
# What is told behind everything else: teeth, colds, what life brings, and what is done at any visit.
_SLIGHT = re.compile(
    r"dental|gingiv|tooth|teeth|plaque|caries|molar|sinusitis|pharyngitis|sore throat|sprain|laceration|stress|"
    r"assessment|education|guidance|reconciliation|review|consultation|referral|monitoring|examination|documentation|"
    r"screening|\bcare\b|discharge|history|interview|culture|an[ae]+sthe|position|\btest\b",
    re.IGNORECASE,
)
# Of what is left of the question, the share that a name must hold.
ENOUGH = 0.3
# Letters with which a word of the record may begin, and first letters of as many words.
_BEGINNING, _LETTERS = 5, 3
_WORD = re.compile(r"[a-z0-9]+")
_JOINING = frozenset(("of", "and", "the", "in", "to", "for", "with", "by", "on", "or", "a"))


@dataclass(frozen=True, slots=True)
class Group:
    """The entries of one concept. `worth`: how much it concerns the question; `named`: the question names it."""

    kind: int
    entries: tuple[ClinicalFact, ...]
    keys: frozenset[str]
    worth: float
    named: bool

    @property
    def newest(self) -> ClinicalFact:
        return self.entries[-1]

    def is_of(self, families: Iterable[str]) -> bool:
        """Whether it is of one of these families of problems."""
        return not self.keys.isdisjoint(names.of_families(families))

    def goes_on(self, today: date) -> bool:
        """Whether an entry is not over."""
        return any(not facts.has_ended(each, today) for each in self.entries)


def is_slight(group: Group) -> bool:
    """Whether it is told behind everything else."""
    is_circumstance = not group.keys.isdisjoint(NO_NEWS)
    return is_circumstance or _SLIGHT.search(facts.name_of(group.newest)) is not None


def find(inquiry: Inquiry, sources: Sources) -> list[Group]:
    """All groups, those that concern the inquiry the most first; the worth of those that do not is 0."""
    grouped: dict[tuple[int, str], list[ClinicalFact]] = defaultdict(list)
    for fact in sources.current:
        if fact.kind not in _NEVER and len(facts.name_of(fact).split()) <= _LONGEST:
            grouped[fact.kind, _concept(fact)].append(fact)
    groups = [tuple(sorted(each, key=facts.in_time)) for each in grouped.values()]
    if inquiry.days or inquiry.asks(Form.COURSE, Form.EFFECT):
        groups = [series for each in groups for series in _series(each)]
    spoken = [frozenset(stem for name in facts.names(each[-1])[:3] for stem in terms(name)) for each in groups]
    weights = _weights(spoken)
    inquiry = _in_words_of_the_record(inquiry, groups, weights)
    found = [_group(entries, stems, inquiry, weights) for entries, stems in zip(groups, spoken, strict=True)]
    days = _days_of_named(found)
    found = [_of_day(each, days, inquiry) for each in found]
    return sorted(found, key=lambda each: (-each.worth, -facts.in_time(each.newest)[0]))


def _days_of_named(groups: Sequence[Group]) -> frozenset[date]:
    """The days of illnesses and procedures that a question names, of those that happened seldom."""
    named = [each for each in groups if each.named and each.kind in _SHARING and SOCIAL not in each.keys]
    seldom = [each for each in named if len(each.entries) <= _SELDOM and not is_slight(each)]
    days = (facts.starts_on(each) for group in seldom for each in group.entries)
    return frozenset(day for day in days if day)


def _of_day(group: Group, days: frozenset[date], inquiry: Inquiry) -> Group:
    """A drug that was first ordered, or what was done, on such a day belongs to it, unless it is done at any visit."""
    begun = group.entries[:1] if group.kind == pb.FACT_KIND_MEDICATION else group.entries
    if group.worth or group.kind not in _SHARED or days.isdisjoint(map(facts.starts_on, begun)) or is_slight(group):
        return group
    return replace(group, worth=OF_DAY + _fit(group.kind, inquiry))


def _in_words_of_the_record(
    inquiry: Inquiry, groups: Sequence[tuple[ClinicalFact, ...]], known: Mapping[str, float]
) -> Inquiry:
    """With the words of the record that begin as a word of the question does (`physio`), or whose first letters it is
    (`PCOS`), where the record does not have the word itself.
    """
    unknown = [each for each in inquiry.stems if each not in known]
    begun = {each: {one for one in known if len(each) >= _BEGINNING and one.startswith(each)} for each in unknown}
    for entries in groups:
        own = [word for word in _WORD.findall(facts.name_of(entries[-1]).casefold()) if word not in _JOINING]
        letters = "".join(word[0] for word in own)
        for each in unknown:
            if len(each) >= _LETTERS and each in letters:
                at = letters.index(each)
                begun[each] |= terms(" ".join(own[at : at + len(each)]))
    meant = frozenset(one for each in begun.values() for one in each)
    return replace(inquiry, stems=inquiry.stems | meant, words=inquiry.words | meant) if meant else inquiry


def _series(entries: tuple[ClinicalFact, ...]) -> Iterator[tuple[ClinicalFact, ...]]:
    """Values of one unit together: what was sent in one that does not convert is a course of its own."""
    if not all(each.HasField("quantity") for each in entries):
        yield entries
        return
    while entries:
        alike = tuple(trend.in_one_unit(entries))
        yield alike
        taken = {each.fact_id for each in alike}
        entries = tuple(each for each in entries if each.fact_id not in taken)


def _concept(fact: ClinicalFact) -> str:
    """A drug as it was ordered: of a combination all parts, and each strength by itself."""
    own = sorted(facts.about(fact).ordered_keys) if fact.kind == pb.FACT_KIND_MEDICATION else []
    return f"{own[0]}|{_strength(fact)}" if own else concepts.key(fact)


def _strength(fact: ClinicalFact) -> str:
    """The amount of a dose, or where it is counted (`1 tablet`), the product."""
    amounts = facts.dosages(fact)[:1]
    weighed = [facts.printed_amount(each) for each in amounts if units.comparable(each.dose.unit, _WEIGHT)]
    return weighed[0] if weighed else fact.source_code.code


def _group(
    entries: tuple[ClinicalFact, ...], stems: frozenset[str], inquiry: Inquiry, weights: dict[str, float]
) -> Group:
    keys = frozenset().union(*map(names.keys_of, entries[-2:]))
    named = max((_named(each.keys, keys, of_class=names.CLASS in each.kinds) for each in inquiry.mentions), default=0.0)
    # A procedure is known by its own words, also where they name something else: `diabetic eye check`.
    asked = inquiry.words if entries[0].kind == pb.FACT_KIND_PROCEDURE else inquiry.stems
    # Beside a drug that is named, `gel` and `tablet` name no other.
    asked = frozenset() if entries[0].kind == pb.FACT_KIND_MEDICATION and inquiry.drugs else asked
    words = _by_words(stems, asked, weights)
    # Circumstances are told where they are asked for, and not beside a problem that they have a word of.
    told = [area for area in inquiry.areas if SOCIAL not in keys or area.id in areas.occasions()]
    of_areas = max((of_area(area, keys, entries[-1]) - rank * 0.3 for rank, area in enumerate(told)), default=0.0)
    kind = entries[0].kind
    if SOCIAL in keys and not named:
        words = 0.0
    base = max(named, words, of_areas)
    base += _BESIDE * of_areas - _A_WORD * len(facts.name_of(entries[-1]).split()) if base else 0.0
    return Group(kind, entries, keys, base + _fit(kind, inquiry) if base > 0 else 0.0, max(named, words) >= OF_CLASS)


def _named(wanted: frozenset[str], keys: frozenset[str], *, of_class: bool) -> float:
    return 0.0 if keys.isdisjoint(wanted) else OF_CLASS if of_class else NAMED


def of_area(area: Area, keys: frozenset[str], fact: ClinicalFact) -> float:
    """How much a fact with these keys is worth to an area; none where it does not belong to it."""
    about = facts.about(fact)
    match fact.kind:
        case pb.FACT_KIND_RESULT:
            ranks = [n for n, code in enumerate(area.results) if keys_.of_loinc(code) in keys]
            return OF_AREA - LESS * ranks[0] if ranks else 0.0
        case pb.FACT_KIND_PROBLEM:
            return OF_AREA if any(_is_problem(each, keys, fact) for each in area.problems) else 0.0
        case pb.FACT_KIND_MEDICATION:
            return OF_DRUG_AREA if not keys.isdisjoint(area_keys(area)) or areas.is_given_for(area, about) else 0.0
        case pb.FACT_KIND_PROCEDURE:
            name = facts.name_of(fact).casefold()
            return OF_PROCEDURE if any(each in name for each in area.procedures) else 0.0
        case _:
            return 0.0


def _is_problem(problem: str, keys: frozenset[str], fact: ClinicalFact) -> bool:
    # A name holds it from the beginning of a word on: no kidney injury (`aki`) in a filling that is leaking.
    return names.of_family(problem) in keys or f" {problem}" in f" {facts.name_of(fact).casefold()}"


def _by_words(stems: frozenset[str], asked: frozenset[str], weights: dict[str, float]) -> float:
    """By the share of what the question says beside names, each word weighing the more the rarer it is."""
    shared = stems & asked
    if not shared:
        return 0.0
    whole = math.fsum(weights.get(each, 0.0) for each in asked)
    share = math.fsum(weights[each] for each in shared) / whole if whole else 0.0
    return BY_WORDS * share if share >= ENOUGH else 0.0


def _weights(spoken: Sequence[frozenset[str]]) -> dict[str, float]:
    held = Counter(stem for stems in spoken for stem in stems)
    return {stem: math.log((len(spoken) + 1) / count) for stem, count in held.items()}


def _fit(kind: int, inquiry: Inquiry) -> float:
    """What a kind of fact is worth more for the form of the question."""
    return math.fsum(_FITS.get((form, kind), 0.0) for form in inquiry.forms)


_FITS: dict[tuple[Form, int], float] = {
    (Form.TREATMENT, pb.FACT_KIND_MEDICATION): 2.0,
    (Form.EFFECT, pb.FACT_KIND_RESULT): 1.0,
    (Form.COURSE, pb.FACT_KIND_RESULT): 1.0,
    (Form.SEVERITY, pb.FACT_KIND_RESULT): 2.0,
    (Form.WHEN, pb.FACT_KIND_PROCEDURE): 2.0,
    (Form.LAST, pb.FACT_KIND_PROCEDURE): 0.5,
    (Form.COUNT, pb.FACT_KIND_PROCEDURE): 1.0,
    (Form.ALLERGY, pb.FACT_KIND_ALLERGY): 5.0,
    (Form.IMMUNISATION, pb.FACT_KIND_IMMUNIZATION): 5.0,
}
