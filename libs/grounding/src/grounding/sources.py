"""What an episode may rest on: an immutable index over facts, notes, evidence passages and open contradictions.

Guarantee: a fact is found only if it belongs to one of the patient's identifiers; withdrawn and superseded
statements are kept apart and are never found among the current ones. The same input in any order gives the same index.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from copy import copy
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any

from longitude.record.v1.context_pb2 import CONTRADICTION_STATE_OPEN, Contradiction, Note, Passage, RecordedFact
from longitude.record.v1.fact_pb2 import (
    FACT_KIND_ALLERGY,
    FACT_KIND_ENCOUNTER,
    FACT_KIND_MEDICATION,
    FACT_KIND_PROBLEM,
    FACT_STATUS_ENTERED_IN_ERROR,
    ClinicalFact,
    FactKind,
    PatientKey,
)
from terminology.loinc import BIRTH_DATE, SEX

from grounding import facts, keys
from grounding.formula import Sex, age_in_years

_FIRST_DAY = datetime(1, 1, 1, tzinfo=UTC)
# Kinds of which a message may state again what was stated before.
_RESTATED = (FACT_KIND_MEDICATION, FACT_KIND_PROBLEM, FACT_KIND_ALLERGY)


class UnknownSourceError(LookupError):
    """A citation names a fact or passage that the episode does not have."""


@dataclass(frozen=True, eq=False)
class Sources:
    """The facts in force, oldest first, with everything else an episode may cite.

    `as_of` is the moment the question was asked: grounding has no clock of its own.
    """

    as_of: datetime
    recorded: tuple[RecordedFact, ...] = ()
    passages: tuple[Passage, ...] = ()
    contradictions: tuple[Contradiction, ...] = ()
    identifiers: tuple[PatientKey, ...] = ()
    # Whole texts of the patient's documents, oldest first; each is of a fact in force.
    notes: tuple[Note, ...] = ()
    # What others work out from the whole of it: once, for all who read the same sources. What rests on passages too is
    # kept by these.
    worked_out: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False)
    _by_id: dict[str, RecordedFact] = field(default_factory=dict, init=False, repr=False)

    @classmethod
    def of(
        cls,
        as_of: datetime,
        recorded: Iterable[RecordedFact],
        passages: Iterable[Passage] = (),
        contradictions: Iterable[Contradiction] = (),
        identifiers: Iterable[PatientKey] = (),
        *,
        notes: Iterable[Note] = (),
    ) -> "Sources":
        """Builds the index; facts of other patients are left out, so that citing them finds nothing, and so are notes
        whose document is not a fact in force of this patient.
        """
        known = {(each.id, each.authority) for each in identifiers}
        own = [each for each in recorded if (each.fact.patient.id, each.fact.patient.authority) in known]
        in_force = {each.fact.fact_id for each in own if not _is_past(each)}
        built = cls(
            as_of,
            tuple(sorted({each.fact.fact_id: each for each in own}.values(), key=_order)),
            tuple({each.passage_id: each for each in passages}.values()),
            tuple(each for each in contradictions if each.state == CONTRADICTION_STATE_OPEN),
            tuple(PatientKey(id=name, authority=authority) for name, authority in sorted(known)),
            tuple(sorted({each.fact_id: each for each in notes if each.fact_id in in_force}.values(), key=_written)),
        )
        built._by_id.update({each.fact.fact_id: each for each in built.recorded})
        return built

    def with_passages(self, passages: Iterable[Passage]) -> "Sources":
        """The same with these passages before its own. What was worked out of it stays, also for who reads the copy."""
        more = copy(self)
        by_id = {each.passage_id: each for each in (*passages, *self.passages)}
        object.__setattr__(more, "passages", tuple(by_id.values()))
        object.__setattr__(more, "worked_out", dict(self.worked_out))
        return more

    @cached_property
    def current(self) -> tuple[ClinicalFact, ...]:
        """Facts neither superseded nor withdrawn."""
        return tuple(each.fact for each in self.recorded if not _is_past(each))

    @cached_property
    def disputed(self) -> frozenset[str]:
        """Ids of facts that an open contradiction is about: they are asked, not asserted."""
        return frozenset(fact_id for each in self.contradictions for fact_id in each.fact_ids)

    @property
    def today(self) -> date:
        return self.as_of.astimezone(UTC).date()

    @cached_property
    def last_seen(self) -> date:
        """The last day, up to today, of which there is an entry or a text; today where there is none."""
        entries = (facts.starts_on(each) for each in self.current)
        texts = (facts.moment(each.authored_at).date() for each in self.notes if each.HasField("authored_at"))
        return max((day for day in (*entries, *texts) if day and day <= self.today), default=self.today)

    def fact(self, fact_id: str) -> ClinicalFact:
        """UnknownSourceError if the episode has no such fact."""
        return self.recorded_fact(fact_id).fact

    def recorded_fact(self, fact_id: str) -> RecordedFact:
        try:
            return self._by_id[fact_id]
        except KeyError:
            raise UnknownSourceError("a cited fact is not in this patient's record") from None

    def has_fact(self, fact_id: str) -> bool:
        return fact_id in self._by_id

    def text_of(self, fact_id: str) -> str:
        """The whole text of a document as it came, else the fact's own; UnknownSourceError."""
        return self._texts.get(fact_id) or self.fact(fact_id).text

    @cached_property
    def _texts(self) -> dict[str, str]:
        return {each.fact_id: each.text for each in self.notes}

    def is_current(self, fact_id: str) -> bool:
        """False for facts that a later statement replaced or withdrew."""
        return not _is_past(self.recorded_fact(fact_id))

    def passage(self, passage_id: str) -> Passage:
        """UnknownSourceError if memory did not return it."""
        for passage in self.passages:
            if passage.passage_id == passage_id:
                return passage
        raise UnknownSourceError("a cited passage was not returned by the evidence library")

    def has_passage(self, passage_id: str) -> bool:
        return any(passage.passage_id == passage_id for passage in self.passages)

    def of_kind(self, *kinds: "FactKind.ValueType") -> tuple[ClinicalFact, ...]:
        if len(kinds) == 1:
            return self._by_kind.get(kinds[0], ())
        return tuple(fact for fact in self.current if fact.kind in kinds)

    @cached_property
    def _by_kind(self) -> dict[int, tuple[ClinicalFact, ...]]:
        found: dict[int, list[ClinicalFact]] = defaultdict(list)
        for fact in self.current:
            found[fact.kind].append(fact)
        return {kind: tuple(each) for kind, each in found.items()}

    def with_key(self, key: str) -> tuple[ClinicalFact, ...]:
        """Facts of one concept (see `keys`), oldest first."""
        return self._by_key.get(key, ())

    @cached_property
    def _by_key(self) -> dict[str, tuple[ClinicalFact, ...]]:
        found: dict[str, list[ClinicalFact]] = defaultdict(list)
        for fact in self.current:
            for key in facts.keys(fact):
                found[key].append(fact)
        return {key: tuple(each) for key, each in found.items()}

    def days_of(self, keys: frozenset[str]) -> tuple[date, date] | None:
        """The first and the last day on which the record has a number for one of these concepts."""
        spans = [self._days[key] for key in keys if key in self._days]
        return (min(first for first, _ in spans), max(last for _, last in spans)) if spans else None

    @cached_property
    def _days(self) -> dict[str, tuple[date, date]]:
        found: dict[str, tuple[date, date]] = {}
        for fact in self.current:
            day = facts.starts_on(fact)
            if day and fact.HasField("quantity") and facts.number(fact.quantity) is not None:
                for key in facts.keys(fact):
                    first, last = found.get(key, (day, day))
                    found[key] = min(first, day), max(last, day)
        return found

    def first_stated(self, fact: ClinicalFact) -> datetime | None:
        """When the source first stated it; a medication, with the dose that it has."""
        moments = (facts.moment(each.stated_at) for each in self._history(fact) if each.HasField("stated_at"))
        return min(moments, default=None)

    def stated_on(self, fact: ClinicalFact) -> date | None:
        """The UTC day on which the source first stated it."""
        first = self.first_stated(fact)
        return first.date() if first else None

    def known_since(self, fact: ClinicalFact) -> datetime | None:
        """Its start, or where nobody stated one, when it was first stated."""
        return facts.moment(fact.valid_from) if fact.HasField("valid_from") else self.first_stated(fact)

    def first_recorded(self, fact: ClinicalFact) -> datetime:
        """When the record first knew it, however often it was stated again; the first day where that is not said."""
        known = (self.recorded_fact(each.fact_id) for each in self._history(fact))
        return min(
            (facts.moment(each.recorded_at) for each in known if each.HasField("recorded_at")), default=_FIRST_DAY
        )

    def _history(self, fact: ClinicalFact) -> Iterator[ClinicalFact]:
        """The fact and the earlier statements of the same, one behind the other. A result is stated once."""
        behind = [fact]
        while behind:
            one = behind.pop()
            yield one
            earlier = self._replaced_by.get(one.fact_id, ()) if one.kind in _RESTATED else ()
            behind += [each for each in earlier if _says_the_same(each, one)]

    @cached_property
    def _replaced_by(self) -> dict[str, list[ClinicalFact]]:
        found: dict[str, list[ClinicalFact]] = defaultdict(list)
        for each in self.recorded:
            if each.superseded_by and each.superseded_by != each.fact.fact_id:
                found[each.superseded_by].append(each.fact)
        return found

    @cached_property
    def renewed(self) -> frozenset[str]:
        """Ids of the medications after which another order of the same drug was given."""
        return facts.renewed(self.current)

    def measured(self, loinc: str) -> tuple[ClinicalFact, ...]:
        """Results of one LOINC code that have a number and a unit, oldest first; those of no stated time where they
        were stated.
        """
        found = (fact for fact in self.with_key(keys.of_loinc(loinc)) if fact.HasField("quantity"))
        return tuple(sorted((fact for fact in found if facts.number(fact.quantity) is not None), key=facts.in_time))

    def series(self, loinc: str) -> tuple[ClinicalFact, ...]:
        """Results of one LOINC code that have a number, a unit and a day, oldest first."""
        return tuple(
            fact
            for fact in self.with_key(keys.of_loinc(loinc))
            if fact.HasField("quantity") and facts.number(fact.quantity) is not None and facts.starts_on(fact)
        )

    def active(self, *kinds: "FactKind.ValueType", on: date | None = None) -> tuple[ClinicalFact, ...]:
        """Statements of these kinds that hold on a day (default: the day of the question)."""
        day = on or self.today
        return tuple(fact for fact in self.of_kind(*kinds) if _holds(fact, day))

    def encounters(self) -> tuple[ClinicalFact, ...]:
        return tuple(fact for fact in self.of_kind(FACT_KIND_ENCOUNTER) if facts.days(fact))

    def birth_date(self) -> ClinicalFact | None:
        return next(iter(reversed(self.with_key(keys.of_loinc(BIRTH_DATE)))), None)

    def sex(self) -> ClinicalFact | None:
        return next(iter(reversed(self.with_key(keys.of_loinc(SEX)))), None)

    def age(self) -> int | None:
        """Completed years today; None where no birth is known that lies behind."""
        born = self.birth_date()
        day = birth_day(born) if born else None
        return age_in_years(day, self.today) if day and day <= self.today else None

    def administrative_sex(self) -> Sex | None:
        stated = self.sex()
        return administrative_sex(stated) if stated else None


def _says_the_same(earlier: ClinicalFact, fact: ClinicalFact) -> bool:
    """Whether an earlier statement is no other than the fact, so that its time is the fact's too."""
    same = earlier.kind == fact.kind and earlier.code == fact.code and earlier.dosage == fact.dosage
    return same and earlier.status != FACT_STATUS_ENTERED_IN_ERROR


def birth_day(fact: ClinicalFact) -> date | None:
    """The day a birth date fact states, as text (ISO or HL7 DT) or as its validity."""
    digits = "".join(character for character in fact.text if character.isdigit())[:8]
    if len(digits) == 8:
        try:
            return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
        except ValueError:
            return None
    return facts.starts_on(fact) if not fact.text else None


def administrative_sex(fact: ClinicalFact) -> Sex | None:
    """Female or male (HL7 table 0001); None for every other value, for which the formulas are not defined."""
    text = (fact.text or fact.coded.code or fact.coded.display).strip().lower()
    return {"f": Sex.FEMALE, "female": Sex.FEMALE, "m": Sex.MALE, "male": Sex.MALE}.get(text)


def _holds(fact: ClinicalFact, day: date) -> bool:
    start = facts.starts_on(fact)
    return not facts.has_ended(fact, day) and (start is None or start <= day)


def _is_past(recorded: RecordedFact) -> bool:
    return recorded.HasField("superseded_at") or recorded.fact.status == FACT_STATUS_ENTERED_IN_ERROR


def _order(recorded: RecordedFact) -> tuple[datetime, str]:
    fact = recorded.fact
    return (facts.moment(fact.valid_from) if fact.HasField("valid_from") else _FIRST_DAY, fact.fact_id)


def _written(note: Note) -> tuple[datetime, str]:
    return (facts.moment(note.authored_at) if note.HasField("authored_at") else _FIRST_DAY, note.fact_id)
