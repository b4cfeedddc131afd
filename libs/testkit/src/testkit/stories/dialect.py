"""How the two hospitals of the stories write HL7 v2: delimiters, character set, codes and units of their own.

Codes, units and factors are written out here and not looked up in terminology, on purpose: the truth of a story follows
from them, and it must show when the platform's own tables are wrong.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal

Field = str | tuple[str, ...]
Segment = tuple[str, Mapping[int, Field]]


@dataclass(frozen=True, slots=True)
class Analyte:
    """An analyte as a hospital sends it: value in the usual unit times `factor`, to so many decimals."""

    code: tuple[str, str, str]
    unit: str
    factor: Decimal = Decimal(1)
    decimals: int = 0

    def sent(self, value: Decimal) -> Decimal:
        return (value * self.factor).quantize(Decimal(1).scaleb(-self.decimals))


@dataclass(frozen=True, slots=True)
class Dialect:
    """`separators`: MSH-1 and MSH-2."""

    authority: str
    facility: str
    separators: str
    codec: str
    charset: str
    version: str
    zone: tzinfo
    offset: bool
    analytes: Mapping[str, Analyte]

    def time(self, at: datetime) -> str:
        local = at.astimezone(self.zone)
        return local.strftime("%Y%m%d%H%M%S%z" if self.offset else "%Y%m%d%H%M%S")

    def message(self, code: str, control_id: str, at: datetime, segments: Sequence[Segment]) -> bytes:
        """The bytes of one message, every segment ended by a carriage return."""
        head: dict[int, Field] = {
            3: "STORY", 4: self.facility, 5: "LONGITUDE", 6: "HUB", 7: self.time(at), 9: tuple(code.split("^")),
            10: control_id, 11: "P", 12: self.version, 18: self.charset,
        }  # fmt: skip
        first = self.separators[0].join(["MSH", self.separators[1:], *self._fields(head, 3)])
        lines = [first, *(self.separators[0].join([name, *self._fields(held, 1)]) for name, held in segments)]
        return "".join(f"{line}\r" for line in lines).encode(self.codec)

    def _fields(self, numbered: Mapping[int, Field], first: int) -> list[str]:
        return [self._field(numbered.get(number, "")) for number in range(first, max(numbered) + 1)]

    def _field(self, field: Field) -> str:
        parts = (field,) if isinstance(field, str) else field
        return self.separators[1].join(self._escaped(part) for part in parts)

    def _escaped(self, text: str) -> str:
        escape = self.separators[3]
        names = dict(zip(self.separators, "FSRET", strict=True)) | {"\n": ".br"}
        return "".join(f"{escape}{names[each]}{escape}" if each in names else each for each in text)


def _loinc(code: str, name: str, unit: str, decimals: int) -> Analyte:
    return Analyte((code, name, "LN"), unit, decimals=decimals)


def _local(code: str, name: str, unit: str, factor: str, decimals: int) -> Analyte:
    return Analyte((code, name, "LKLAB"), unit, Decimal(factor), decimals)


NORTHWEST = Dialect(
    authority="NORTHWEST", facility="NORTHWEST GENERAL", separators="|^~\\&", codec="utf-8",
    charset="UNICODE UTF-8", version="2.5.1", zone=timezone(timedelta(hours=-5)), offset=True,
    analytes={
        "creatinine": _loinc("2160-0", "Creatinine", "mg/dL", 2),
        "potassium": _loinc("2823-3", "Potassium", "mmol/L", 1),
        "haemoglobin": _loinc("718-7", "Hemoglobin", "g/dL", 1),
        "HbA1c": _loinc("4548-4", "Hemoglobin A1c", "%", 1),
    },
)  # fmt: skip

LAKESIDE = Dialect(
    authority="LAKESIDE", facility="LAKESIDE CLINIC", separators="|$%?!", codec="iso-8859-1",
    charset="8859/1", version="2.3.1", zone=UTC, offset=False,
    analytes={
        # 10,000 / 113.12: creatinine is C4H7N3O (CIAAW standard atomic weights, abridged, 2021).
        "creatinine": _local("KREA", "Kreatinin", "umol/L", "88.402", 0),
        "potassium": _local("K", "Kalium", "mmol/L", "1", 1),
        "haemoglobin": _local("HB", "Hämoglobin", "g/L", "10", 0),
        "HbA1c": _local("HBA1C", "HbA1c", "%", "1", 1),
    },
)  # fmt: skip
