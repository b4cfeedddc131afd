"""The record as assertions are compared with it: facts by concept and kind, oldest first.

Built once for a set of facts and shared by all sentences.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import cast

from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.context_pb2 import Passage
from longitude.record.v1.fact_pb2 import ClinicalFact
from terminology import families
from terminology.loinc import BIRTH_DATE, FAMILY_HISTORY, SEX
from terminology.scan import american

from grounding import facts, keys
from grounding.calculators import everything
from grounding.derived import Derived
from grounding.formula import Sex
from grounding.lexicon import Keys, Names
from grounding.reading import loose, names, wordings
from grounding.reading.grammar import grammar
from grounding.reading.tokens import Known
from grounding.sources import Sources, administrative_sex, birth_day

# `Yaz 28 Day Pack`, `Ibuprofen 400 MG Oral Tablet [Ibu]`.
# How a note introduces its patient: `Ester is a 41 year-old`.
_INTRODUCED = re.compile(
    r"^\s*([A-Z][a-zà-ÿ]+) is an? (?:newborn|[0-9]{1,3}[ -](?:year|month|week|day)s?[ -]old)\b", re.MULTILINE
)
_BRAND = re.compile(r"(?:[^\[\]]*\[([A-Za-z][\w -]*)\]|([A-Za-z][A-Za-z-]+(?: [A-Za-z-]+){0,3}) [0-9].*)$")
# What was looked for is not thereby there.
_SOUGHT = re.compile(r"screening (?:test )?for [^\n(;,.]*|[^\n(;,.]* self[ -]management (?:plan|education)")
_SHORT = 2
_ASKED = (pb.FACT_KIND_RESULT, pb.FACT_KIND_DEMOGRAPHIC)
_SPOKEN = (pb.FACT_KIND_PROBLEM, pb.FACT_KIND_PROCEDURE, pb.FACT_KIND_IMMUNIZATION, pb.FACT_KIND_ALLERGY)


# Under which sources keep the names of their facts.
_KNOWN = "known"
_ANSWERED = (pb.FACT_KIND_RESULT, pb.FACT_KIND_DEMOGRAPHIC)


@dataclass(frozen=True)
class Point:
    """One value of a series: recorded, or computed from recorded ones. `value` has the record's own digits."""

    day: date
    value: Decimal
    unit: str
    facts: tuple[ClinicalFact, ...]
    derived: bool = False
    label: str = ""
    # The moment of the value: which of one day's is the newest.
    at: float = 0.0
    # Whether it is cited: then a value in the record's own unit has the record's digits.
    exact: bool = False


# How the unit of a change ends, which is no value of what changes.
_RATE = "per year"
# Words of a textual value that is a value and no sentence.
_LONGEST_ANSWER = 5


def answers(fact: ClinicalFact) -> tuple[str, ...]:
    """A coded or short textual value, as a sentence may give it."""
    reaction = [fact.note] if fact.kind == pb.FACT_KIND_ALLERGY else []
    answered = fact.kind in _ANSWERED and not facts.organism(fact)
    texts = [fact.text, fact.coded.display] if answered else reaction
    return tuple(
        text for text in texts if text and len(text.split()) <= _LONGEST_ANSWER and any(map(str.isalpha, text))
    )


def _short_genus(organism: str) -> str:
    """`E. coli`."""
    genus, _, species = organism.partition(" ")
    return f"{genus[:1]}. {species}" if species else organism


def _is_no_word(answer: str) -> bool:
    """Whether it is none of the words that productions name (`No`, `Female`)."""
    return " " in answer or not grammar().alphabet.names(answer.lower())


def _is_denial(name: str, fact: ClinicalFact) -> bool:
    """`no chest pain`: the name is the one without its negation. An allergy list has entries that are called so."""
    denied = name.lower().startswith(("no ", "denies ", "not "))
    return denied and fact.kind != pb.FACT_KIND_ALLERGY and facts.is_absent(fact)


@dataclass(frozen=True)
class Record:
    """The facts that may support a text, of one patient, and everything current of the same."""

    sources: Sources
    facts: tuple[ClinicalFact, ...]
    # Whether these facts are the ones that a statement cites.
    cited: bool = False
    passages: tuple[Passage, ...] = ()
    # Everything current of the patient; None where `facts` are that already.
    everything: "Record | None" = None

    @property
    def whole(self) -> "Record":
        """The whole record: what is the newest or the highest is so of everything."""
        return self.everything or self

    @property
    def today(self) -> date:
        return self.sources.today

    @cached_property
    def by_key(self) -> dict[str, list[ClinicalFact]]:
        found: dict[str, list[ClinicalFact]] = defaultdict(list)
        for fact in self.facts:
            for key in names.keys_of(fact):
                found[key].append(fact)
        return found

    def of(self, wanted: Keys, *kinds: int) -> tuple[ClinicalFact, ...]:
        """Facts that a name of these keys may mean, oldest first."""
        asked = (wanted, kinds)
        if asked not in self._asked_before:
            self._asked_before[asked] = self._of(wanted, kinds)
        return self._asked_before[asked]

    @cached_property
    def _asked_before(self) -> dict[tuple[Keys, tuple[int, ...]], tuple[ClinicalFact, ...]]:
        """Sentences ask for the same facts again and again."""
        return {}

    def _of(self, wanted: Keys, kinds: tuple[int, ...]) -> tuple[ClinicalFact, ...]:
        found = {fact.fact_id: fact for key in wanted for fact in self.by_key.get(key, ())}
        return tuple(sorted((fact for fact in found.values() if not kinds or fact.kind in kinds), key=facts.in_time))

    def of_kind(self, *kinds: int) -> tuple[ClinicalFact, ...]:
        return tuple(sorted((fact for fact in self.facts if fact.kind in kinds), key=facts.in_time))

    def points(self, wanted: Keys) -> tuple[Point, ...]:
        """The course of a result: recorded numbers, and where there are none what was computed."""
        if wanted not in self._courses:
            self._courses[wanted] = self._recorded(wanted) or self.computed(wanted)
        return self._courses[wanted]

    @cached_property
    def _courses(self) -> dict[Keys, tuple[Point, ...]]:
        return {}

    def _recorded(self, wanted: Keys) -> tuple[Point, ...]:
        found = [
            Point(day, value, fact.quantity.unit, (fact,), at=facts.in_time(fact)[0], exact=self.cited)
            for fact in self.of(wanted, pb.FACT_KIND_RESULT)
            if fact.HasField("quantity") and (value := facts.number(fact.quantity)) is not None
            and (day := facts.starts_on(fact))
        ]  # fmt: skip
        return tuple(sorted(found, key=lambda point: (point.at, _stated(point))))

    def computed(self, wanted: Keys) -> tuple[Point, ...]:
        """The course of what was computed."""
        found = (
            each for each in self.derived if each.keys & wanted and not each.label and not each.unit.endswith(_RATE)
        )
        return tuple(sorted(map(self._computed, found), key=lambda point: (point.at, point.value)))

    def _computed(self, value: Derived) -> Point:
        used = self._of_ids(value.fact_ids)
        return Point(
            value.day, value.value, value.unit, used, derived=True, at=facts.in_time(used[0])[0], exact=self.cited
        )

    @cached_property
    def derived(self) -> tuple[Derived, ...]:
        return everything(self.facts)

    def _of_ids(self, fact_ids: Iterable[str]) -> tuple[ClinicalFact, ...]:
        return tuple(self.sources.fact(each) for each in fact_ids)

    @cached_property
    def encounters(self) -> Sequence[ClinicalFact]:
        return self.of_kind(pb.FACT_KIND_ENCOUNTER)

    @cached_property
    def stays(self) -> Sequence[ClinicalFact]:
        """Inpatient encounters, oldest first."""
        return [each for each in self.encounters if each.code.code in ("IMP", "ACUTE", "NONAC")]

    @cached_property
    def sex(self) -> tuple[Sex | None, ClinicalFact | None]:
        fact = next(iter(reversed(self._demographic(SEX))), None)
        return (administrative_sex(fact), fact) if fact else (None, None)

    @cached_property
    def born(self) -> tuple[date | None, ClinicalFact | None]:
        fact = next(iter(reversed(self._demographic(BIRTH_DATE))), None)
        return (birth_day(fact), fact) if fact else (None, None)

    def asked(self, loinc: str) -> Sequence[ClinicalFact]:
        """Answers to a question of the social history, oldest first."""
        return self._by_question.get(loinc, ())

    @cached_property
    def _by_question(self) -> dict[str, list[ClinicalFact]]:
        answered: dict[str, list[ClinicalFact]] = defaultdict(list)
        for fact in self.of_kind(*_ASKED):
            for code in {fact.code.code, fact.source_code.code}:
                answered[code].append(fact)
        return answered

    def _demographic(self, loinc: str) -> list[ClinicalFact]:
        return [each for each in self.facts if each.kind == pb.FACT_KIND_DEMOGRAPHIC and each.code.code == loinc]

    def mentions(self, name: str) -> bool:
        """Whether any word of the record, its texts included, may speak of this: a family of problems or the name."""
        own = {family.id for family in families.named(name)}
        return american(name) in self._spelled or bool(own & self._families)

    def mentions_vaccine(self, name: str) -> bool:
        """Whether any line of the record that is about vaccines has a word of this one."""
        told = (word for word in name.casefold().split() if len(word) > _SHORT)
        words = {word for word in told if not word.startswith(("vaccin", "immuni", "dose", "shot"))}
        lines = (line for line in self._text.splitlines() if "vaccin" in line or "immuni" in line)
        return any(word in line for line in lines for word in words)

    @cached_property
    def _text(self) -> str:
        written = (facts.searchable(fact) + "\n" + "\n".join(fact.comments) for fact in self.facts)
        whole = "\n".join((*written, *(note.text for note in self.sources.notes))).casefold()
        return _SOUGHT.sub("", whole)

    @cached_property
    def _spelled(self) -> str:
        return american(self._text)

    @cached_property
    def _families(self) -> frozenset[str]:
        """The families that the record names anywhere, and those that hold them."""
        ids = [key for each in families.mentions(self._text) for key in each.keys]
        return frozenset(each.id for each in families.with_wider(ids))

    @cached_property
    def known(self) -> Known:
        """The names of the record's own facts."""
        if self.everything is not None:
            return self.everything.known
        if self.facts is not self.sources.current:
            return self._known()
        # The same facts beside other passages: other titles, and the rest is worked out.
        kept, titled = self.sources.worked_out, (_KNOWN, self._of_passages)
        if titled not in kept:
            if _KNOWN not in kept:
                kept[_KNOWN] = self._known()
            kept[titled] = _titled(kept[_KNOWN], self._of_passages)
        return cast("Known", kept[titled])

    @cached_property
    def _of_passages(self) -> tuple[str, ...]:
        """Their titles."""
        return tuple(title for passage in self.sources.passages for title in _titles(passage))

    def _known(self) -> Known:
        spoken = [each.fact for each in self.sources.recorded if _is_named(each.fact)]
        taken = (fact for fact in self.facts if fact.kind in (pb.FACT_KIND_MEDICATION, pb.FACT_KIND_ALLERGY))
        known = _known(
            frozenset(each for fact in spoken for each in _named(fact)),
            frozenset(_kinds_of(spoken).items()),
            frozenset(key for fact in taken for key in facts.keys(fact)),
            frozenset(each.lower() for fact in spoken for each in _asking(fact)),
            frozenset(name for note in self.sources.notes for name in _INTRODUCED.findall(note.text)),
            frozenset(each for fact in spoken for each in _in_any_order(fact)),
        )
        return _titled(known, self._of_passages)


# Records of the same names share what these add, and so what is read with it.
@lru_cache(maxsize=32)
def _known(
    named: frozenset[tuple[str, Keys]],
    kinds: frozenset[tuple[str, frozenset[str]]],
    drugs: Keys,
    questions: frozenset[str],
    called: frozenset[str],
    in_any_order: frozenset[tuple[str, Keys, str]],
) -> Known:
    own = Names()
    for name, meaning in named:
        own.add(name, meaning)
    return Known(own, dict(kinds), (), drugs, questions, called, loose.loose(in_any_order))


@lru_cache(maxsize=32)
def _titled(known: Known, titles: tuple[str, ...]) -> Known:
    return replace(known, titles=titles)


def _is_named(fact: ClinicalFact) -> bool:
    """What a relative has is no result of the patient's, whatever its words."""
    return fact.code.code != FAMILY_HISTORY and fact.kind != pb.FACT_KIND_DEMOGRAPHIC


def _named(fact: ClinicalFact) -> Iterator[tuple[str, Keys]]:
    """The names of a fact, with what each means."""
    subject = facts.about(fact)
    for name in _written(fact):
        if not _is_denial(name, fact) and (fact.kind != pb.FACT_KIND_ENCOUNTER or _is_no_word(name)):
            yield name, subject.own_keys
    for name in _brands(fact, subject.names):
        yield name, subject.ordered_keys or subject.own_keys
    organism = facts.organism(fact)
    for name in (organism, _short_genus(organism)) if organism else ():
        yield name, frozenset({names.of_organism(organism)})
    for text in filter(_is_no_word, answers(fact)):
        yield text, frozenset({names.of_answer(text)})


def _in_any_order(fact: ClinicalFact) -> Iterator[tuple[str, Keys, str]]:
    """The names of what was done and of problems that may be said in any order of their words."""
    if fact.kind in (pb.FACT_KIND_PROCEDURE, pb.FACT_KIND_PROBLEM):
        for name in facts.names(fact):
            if not _is_denial(name, fact):
                yield name, facts.about(fact).own_keys, names.kind_of(fact)


def _kinds_of(spoken: Iterable[ClinicalFact]) -> dict[str, frozenset[str]]:
    kinds: dict[str, set[str]] = defaultdict(set)
    for fact in spoken:
        answer = keys.of_concept(fact.coded) if fact.HasField("coded") else ""
        for key in facts.about(fact).own_keys:
            kinds[key].add(names.ANSWER if key == answer else names.kind_of(fact))
    return {key: frozenset(each) for key, each in kinds.items()}


def _titles(passage: Passage) -> Iterator[str]:
    graded = (f"grade {passage.grade}", passage.grade) if passage.grade else ()
    return filter(None, (passage.source, passage.title, *graded))


def _asking(fact: ClinicalFact) -> Iterator[str]:
    """Names that end with a question mark, with it and without it."""
    for name in facts.about(fact).names:
        if name.endswith("?"):
            yield from filter(None, (name, name.rstrip("?")))


@lru_cache(maxsize=8192)
def _wordings(kind: int, written: tuple[str, ...]) -> tuple[str, ...]:
    spoken = [each for name in written for each in wordings.spoken(name)] if kind in _SPOKEN else []
    return tuple(name for name in (*written, *spoken) if len(name) > _SHORT and any(map(str.isalpha, name)))


def _written(fact: ClinicalFact) -> tuple[str, ...]:
    """Names by which a text may speak of a fact: of a result, not what it answers."""
    written = facts.names(fact)
    if fact.kind == pb.FACT_KIND_RESULT and fact.HasField("coded"):
        answer = wordings.plain(fact.coded.display)
        written = tuple(name for name in written if wordings.plain(name) != answer)
    if fact.kind == pb.FACT_KIND_ALLERGY:
        written += tuple(each.name for each in facts.about(fact).allergens)
    return _wordings(fact.kind, written)


def _brands(fact: ClinicalFact, written: Sequence[str]) -> tuple[str, ...]:
    """Of a drug ordered by one name, that name without strength and form."""
    if fact.kind != pb.FACT_KIND_MEDICATION:
        return ()
    found = (match for name in written if (match := _BRAND.match(name)) and (match[1] or "/" not in name))
    return tuple(match[1] or match[2] for match in found)


def _stated(point: Point) -> float:
    fact = point.facts[0]
    return facts.moment(fact.stated_at).timestamp() if fact.HasField("stated_at") else 0.0
