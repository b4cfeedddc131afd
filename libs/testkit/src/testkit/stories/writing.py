"""Writes what happened to a patient as messages of a hospital."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from testkit.stories.dialect import NORTHWEST, Dialect, Field, Segment
from testkit.stories.truth import Result

NOON = time(15, 0)


@dataclass
class Writer:
    """One hospital's messages about one patient; `person` is PID-3.1, PID-7 and PID-8."""

    dialect: Dialect
    person: tuple[str, str, str]
    messages: list[tuple[datetime, bytes]] = field(default_factory=list)

    def at(self, day: date, minutes: int = 0) -> datetime:
        """In the afternoon by UTC, so that both hospitals' clocks show the same day."""
        return datetime.combine(day, NOON, tzinfo=self.dialect.zone).replace(hour=9) + timedelta(minutes=minutes)

    def results(self, day: date, values: dict[str, Decimal], order: str, *, status: str = "F", late: int = 0) -> None:
        """A panel. The same order number with status C corrects what was sent before."""
        when = self.dialect.time(self.at(day))
        number = f"{self.dialect.authority}-{order}"
        head: Segment = ("OBR", {1: "1", 2: number, 3: number, 4: ("LAB", "Panel", "L"), 7: when, 22: when, 25: status})
        lines = [self._line(place, name, value, when, status) for place, (name, value) in enumerate(values.items(), 1)]
        self._send("ORU^R01", self.at(day, 30 + late), [head, *lines])

    def told(self, name: str, value: Decimal, day: date, replaced: Decimal | None = None) -> Result:
        """The measurement as this hospital's unit leaves it: in the usual unit and as sent."""
        return Result(name, day, self._units(name, value), self._units(name, replaced) if replaced else ())

    def drug(
        self,
        order: str,
        control: str,
        day: date,
        code: tuple[str, str],
        dose: Decimal,
        frequency: str,
        *,
        start_stated: bool = True,
    ) -> None:
        """An encoded order; control NW new, XO changed, DC stopped. An order alone, not yet active, is `RXO`.

        ORC-9 says when it was given; TQ1-7, when it begins, is often left out.
        """
        when = self.dialect.time(self.at(day, 60))
        number = f"{self.dialect.authority}-RX-{order}"
        name = "RXO" if control == "OR" else "RXE"
        given: dict[int, Field] = {1: (*code, "RXNORM"), 2: str(dose), 4: "mg"}
        if name == "RXE":
            given = {2: (*code, "RXNORM"), 3: str(dose), 5: "mg"}
        timing: dict[int, Field] = {1: "1", 3: frequency, 7: when if start_stated and control != "DC" else ""}
        common: Segment = ("ORC", {1: "NW" if control == "OR" else control, 2: number, 9: when, 15: when})
        body: list[Segment] = [common, (name, given), ("TQ1", timing), ("RXR", {1: ("PO", "Oral", "HL70162")})]
        if name == "RXO":
            body = [common, ("TQ1", timing), (name, given), ("RXR", {1: ("PO", "Oral", "HL70162")})]
        self._send("ORM^O01" if name == "RXO" else "RDE^O11", self.at(day, 61), body)

    def visit(self, number: str, first: date, last: date, more: Sequence[Segment] = ()) -> None:
        """An admission with what is recorded on it, and the discharge."""
        for trigger, day, late in (("A01", first, 0), ("A03", last, 400)):
            pv1: dict[int, Field] = {1: "1", 2: "I", 19: number, 44: self.dialect.time(self.at(first))}
            if trigger == "A03":
                pv1[45] = self.dialect.time(self.at(day, late))
            held = list(more) if trigger == "A01" else []
            evn: Segment = ("EVN", {1: trigger, 2: self.dialect.time(self.at(day, late))})
            self._send(f"ADT^{trigger}", self.at(day, late), held, before=[evn], visit=("PV1", pv1))

    def diagnosis(self, code: str, name: str, day: date | None) -> Segment:
        return ("DG1", {1: "1", 3: (code, name, "I10C"), 5: self._stated(day), 6: "W"})

    def allergy(self, code: tuple[str, str, str], reaction: str, day: date | None) -> Segment:
        return ("AL1", {1: "1", 2: "DA", 3: code, 5: reaction, 6: self._stated(day)})

    def _stated(self, day: date | None) -> str:
        return self.dialect.time(self.at(day)) if day else ""

    def problem(self, number: str, code: tuple[str, str], day: date, resolved: date | None) -> None:
        """An entry of the problem list; a second message resolves it."""
        for action, at, state in (("AD", day, "ACTIVE"), ("UP", resolved, "RESOLVED")):
            if at is None:
                continue
            held: dict[int, Field] = {1: action, 2: self.dialect.time(self.at(at)), 3: (*code, "I10C"), 4: number}
            held |= {7: self.dialect.time(self.at(day)), 14: state}
            if state == "RESOLVED":
                held[9] = self.dialect.time(self.at(at))
            self._send("PPR^PC1" if action == "AD" else "PPR^PC2", self.at(at, 90), [("PRB", held)])

    def letter(self, number: str, day: date, text: str) -> None:
        """A letter as text, with its words in one observation for each line."""
        when = self.dialect.time(self.at(day))
        head: Segment = ("TXA", {1: "1", 2: "DS", 3: "TX", 4: when, 12: number, 17: "AU"})
        lines: list[Segment] = [
            ("OBX", {1: str(place), 2: "TX", 3: ("BRIEF", "Letter", "L"), 5: line, 11: "F", 14: when})
            for place, line in enumerate(text.splitlines(), 1)
        ]
        evn: Segment = ("EVN", {1: "T02", 2: when})
        self._send("MDM^T02", self.at(day, 120), [head, *lines], before=[evn])

    def _line(self, place: int, name: str, value: Decimal, when: str, status: str) -> Segment:
        analyte = self.dialect.analytes[name]
        held: dict[int, Field] = {1: str(place), 2: "NM", 3: analyte.code, 5: str(analyte.sent(value))}
        return ("OBX", held | {6: analyte.unit, 11: status, 14: when})

    def _units(self, name: str, value: Decimal) -> tuple[tuple[Decimal, str], ...]:
        sent, usual = self.dialect.analytes[name], NORTHWEST.analytes[name]
        as_sent = (sent.sent(value), sent.unit)
        back = (as_sent[0] / sent.factor).quantize(Decimal(1).scaleb(-usual.decimals))
        return ((back, usual.unit),) if sent.unit == usual.unit else ((back, usual.unit), as_sent)

    def _send(
        self,
        code: str,
        at: datetime,
        segments: Sequence[Segment],
        before: Sequence[Segment] = (),
        visit: Segment = ("PV1", {1: "1", 2: "N"}),
    ) -> None:
        number, born, sex = self.person
        pid: dict[int, Field] = {1: "1", 3: (number, "", "", self.dialect.authority, "MR"), 5: ("Story", "Patient")}
        pid |= {7: born, 8: sex}
        control_id = f"{self.dialect.authority[:2]}{number}-{len(self.messages) + 1}"
        body = [*before, ("PID", pid), visit, *segments]
        self.messages.append((at, self.dialect.message(code, control_id, at, body)))
