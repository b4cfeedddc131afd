"""For which visits a form is written before it is asked for, and when to look again.

Guarantee: a function of the standing statements and the moment alone; between one look and the next that it names,
nothing begins or ends by time.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.reasoning.v1 import prepared_pb2 as pb
from longitude.record.v1 import fact_pb2 as clinical
from longitude.record.v1.context_pb2 import RecordedFact
from longitude.record.v1.fact_pb2 import ClinicalFact
from terminology import sensitivity

# HL7 v3 ActCode of a stay (ActEncounterCode).
STAY = "IMP"
# For how long a visit goes on of which nobody states an end: a stay, any other.
STAY_LASTS, VISIT_LASTS = timedelta(days=30), timedelta(days=1)
# For how long a planned visit that did not begin is expected still, and a discharge is news.
LATE, AFTERWARDS = timedelta(days=1), timedelta(days=3)
FORMS = {pb.OCCASION_DISCHARGED: wire.FORM_SUMMARY}
# What is written before it is asked for.
PREPARED = frozenset({wire.FORM_BRIEF, *FORMS.values()})


@dataclass(frozen=True, slots=True)
class Occasion:
    """`at`: when the visit begins or began, or ended; [`since`, `until`): when a form of it is to be ready."""

    kind: "pb.Occasion.ValueType"
    at: datetime
    since: datetime
    until: datetime

    @property
    def form(self) -> "wire.Form.ValueType":
        return FORMS.get(self.kind, wire.FORM_BRIEF)


@dataclass(frozen=True, slots=True)
class Agenda:
    """The occasions now, one of each form; and when something else may be, None for never without news."""

    occasions: tuple[Occasion, ...]
    next_at: datetime | None


def agenda(recorded: Iterable[RecordedFact], now: datetime, lead: timedelta) -> Agenda:
    """`recorded`: a record, superseded statements included; `lead`: how long before a planned visit to be ready. A
    visit that is sensitive itself is no occasion.
    """
    standing = (each.fact for each in recorded if not each.HasField("superseded_at"))
    # Who may list what is ready need not be open to a visit of a sensitive category.
    standing = (fact for fact in standing if not sensitivity.of_fact(fact))
    known = [one for fact in standing for one in _occasion(fact, lead) if now < one.until]
    nearest: dict[int, Occasion] = {}
    for one in sorted(known, key=lambda each: (abs(each.at - now), each.kind)):
        if one.since <= now:
            nearest.setdefault(one.form, one)
    changes = [each.until if each.since <= now else each.since for each in known]
    if nearest:
        # What is due and how old somebody is follow the day.
        changes.append(now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1))
    return Agenda(tuple(nearest.values()), min(changes, default=None))


def _occasion(fact: ClinicalFact, lead: timedelta) -> Iterator[Occasion]:
    began, ended = _moment(fact, "valid_from"), _moment(fact, "valid_to")
    stated = _moment(fact, "stated_at")
    match fact.kind, fact.status:
        case clinical.FACT_KIND_ENCOUNTER, clinical.FACT_STATUS_ACTIVE if at := began or stated:
            lasts = STAY_LASTS if fact.code.code == STAY else VISIT_LASTS
            yield Occasion(pb.OCCASION_UNDER_WAY, at, at, at + lasts)
        case clinical.FACT_KIND_ENCOUNTER, clinical.FACT_STATUS_ENDED if ended and fact.code.code == STAY:
            yield Occasion(pb.OCCASION_DISCHARGED, ended, ended, ended + AFTERWARDS)
        case clinical.FACT_KIND_ENCOUNTER, clinical.FACT_STATUS_ORDERED if began:
            yield Occasion(pb.OCCASION_PLANNED, began, began - lead, began + LATE)
        case clinical.FACT_KIND_ENCOUNTER, clinical.FACT_STATUS_ORDERED if stated:
            # Nobody said when: it may be at any moment.
            yield Occasion(pb.OCCASION_PLANNED, stated, stated, stated + lead)
        case clinical.FACT_KIND_APPOINTMENT, clinical.FACT_STATUS_ORDERED if began:
            yield Occasion(pb.OCCASION_APPOINTMENT, began, began - lead, began + LATE)


def _moment(fact: ClinicalFact, field: str) -> datetime | None:
    return getattr(fact, field).ToDatetime(tzinfo=UTC) if fact.HasField(field) else None  # type: ignore[arg-type]
