"""What the dangers of a record change about the concerns that are known: opened, changed, resolved.

Guarantees: what is open afterwards is what the record says, whatever was known before and left out between; each state
has one revision, and comparing again changes nothing. A danger keeps its concern through merges. A concern changes when
its urgency or what its facts say does; everything else about it is brought up to date in silence.
"""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

from knowledge.terms import Urgency
from longitude.reasoning.v1 import advice_pb2
from longitude.reasoning.v1 import concern_pb2 as wire
from longitude.reasoning.v1.concern_pb2 import Concern
from longitude.record.v1.fact_pb2 import PatientKey

from consult import times
from consult.dangers import PRESSING, Danger

URGENCIES: dict[Urgency, "advice_pb2.Urgency.ValueType"] = {
    Urgency.CONTRAINDICATED: advice_pb2.URGENCY_CONTRAINDICATED,
    Urgency.URGENT: advice_pb2.URGENCY_URGENT,
    Urgency.IMPORTANT: advice_pb2.URGENCY_IMPORTANT,
    Urgency.ROUTINE: advice_pb2.URGENCY_ROUTINE,
}
_PRESSING = [URGENCIES[each] for each in PRESSING]


class Change(Enum):
    """What became of a concern."""

    OPENED = "opened"
    CHANGED = "changed"
    RESOLVED = "resolved"
    # Brought up to date, and the same state as before.
    REFRESHED = "refreshed"


@dataclass(frozen=True, slots=True)
class Changed:
    """A concern as it is from now on."""

    change: Change
    concern: Concern


def compare(
    known: Iterable[Concern],
    dangers: Sequence[Danger],
    patient: PatientKey,
    at: datetime,
    most: int,
    waits: Collection[tuple[str, str]] = (),
) -> list[Changed]:
    """`known`: every concern of this person, under any identifier, resolved ones too. `patient`: under whom a concern
    stands whose facts name nobody. `most`: how many causes interrupt in a day. `waits`: dangers (`Danger.name`) of
    which none is open, and that are judged later.
    """
    concerns = list(known)
    attention = _Attention(concerns, at, most)
    by_name: dict[tuple[str, str], list[Concern]] = defaultdict(list)
    for each in concerns:
        by_name[each.row, each.subject].append(each)
    changed: list[Changed] = []
    for danger in dangers:
        own = by_name.pop(danger.name, [])
        # Two numbers of one person had it each: the older one goes on.
        still = sorted(filter(is_open, own), key=_age)
        changed += _again(still[0], danger, attention) if still else _opened(own, danger, patient, attention)
        changed += [_resolved(each, at) for each in still[1:]]
    gone = (each for name, own in by_name.items() if name not in waits for each in own if is_open(each))
    return changed + [_resolved(each, at) for each in gone]


def is_open(concern: Concern) -> bool:
    return concern.state == wire.CONCERN_STATE_OPEN


class _Attention:
    """Whom to interrupt: of the most urgent, at most so many causes a day, each as often as it changes."""

    def __init__(self, known: Iterable[Concern], at: datetime, most: int) -> None:
        self.at = times.stamp(at)
        self._left = most
        self._today: set[str] = set()
        for each in known:
            if each.HasField("interrupted_at") and each.interrupted_at.ToDatetime(tzinfo=UTC).date() == at.date():
                self._today.add(each.cause)

    def ask(self, concern: Concern) -> None:
        """Mark the concern where it may interrupt."""
        is_pressing = concern.urgency in _PRESSING
        concern.interruptive = is_pressing and (concern.cause in self._today or len(self._today) < self._left)
        if concern.interruptive:
            self._today.add(concern.cause)
            concern.interrupted_at.CopyFrom(self.at)


def _opened(own: Sequence[Concern], danger: Danger, patient: PatientKey, attention: _Attention) -> list[Changed]:
    """A new concern, or another occurrence of one that was resolved.

    Its id is random: the log shows it, and one made from a patient's number would say whose danger it is.
    """
    home = danger.patient or patient
    before = next((each for each in own if each.patient == home), None)
    name = before.concern_id if before else str(uuid.uuid4())
    concern = Concern(concern_id=name, patient=home, revision=before.revision + 1 if before else 1)
    if before and before.HasField("interrupted_at"):
        concern.interrupted_at.CopyFrom(before.interrupted_at)
    concern.state = wire.CONCERN_STATE_OPEN
    concern.opened_at.CopyFrom(attention.at)
    concern.changed_at.CopyFrom(attention.at)
    _fill(concern, danger)
    attention.ask(concern)
    return [Changed(Change.OPENED, concern)]


def _again(before: Concern, danger: Danger, attention: _Attention) -> list[Changed]:
    """The same danger as before: changed, brought up to date, or nothing."""
    concern = Concern()
    concern.CopyFrom(before)
    _fill(concern, danger)
    if (before.urgency, list(before.supports)) == (concern.urgency, list(concern.supports)):
        return [] if concern == before else [Changed(Change.REFRESHED, concern)]
    concern.revision += 1
    concern.changed_at.CopyFrom(attention.at)
    if _ends_the_act(before, concern):
        concern.ClearField("act")
    if not concern.HasField("act"):
        attention.ask(concern)
    return [Changed(Change.CHANGED, concern)]


def _ends_the_act(before: Concern, after: Concern) -> bool:
    """What a person did holds for the state that they saw. That it does not concern this patient holds longer, unless
    it becomes more urgent, or is so urgent that nobody may miss it.
    """
    is_dismissed = before.act.action == wire.CONCERN_ACTION_DISMISS
    return not is_dismissed or after.urgency < before.urgency or after.urgency <= advice_pb2.URGENCY_URGENT


def _resolved(before: Concern, at: datetime) -> Changed:
    concern = Concern()
    concern.CopyFrom(before)
    concern.state, concern.interruptive = wire.CONCERN_STATE_RESOLVED, False
    concern.revision += 1
    concern.resolved_at.CopyFrom(times.stamp(at))
    return Changed(Change.RESOLVED, concern)


def _fill(concern: Concern, danger: Danger) -> None:
    """What the record says of it now."""
    concern.row, concern.version, concern.subject = danger.row, danger.version, danger.subject
    concern.cause, concern.urgency, concern.source = danger.cause, URGENCIES[danger.urgency], danger.source
    concern.text, concern.sensitive = danger.text, danger.sensitive
    del concern.citations[:], concern.supports[:]
    concern.citations.extend(danger.citations)
    concern.supports.extend(danger.supports)


def _age(concern: Concern) -> tuple[int, int, str]:
    return concern.opened_at.seconds, concern.opened_at.nanos, concern.concern_id
