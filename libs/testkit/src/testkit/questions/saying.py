"""Gold made of facts: what a text must say so that the fact counts as said."""

import re
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.fact_pb2 import ClinicalFact

from testkit.questions.chart import Chart, day_of, end_of, number, plain
from testkit.questions.question import ABSENCE, FACT, Gold
from testkit.questions.tables import by_id

NO = r"\b(?:no|not|none|never|without|absent|neither|nor|nothing|denied|denies)\b"
_STOPPED = r"(?:stopp|ended|discontinu|no longer|until|inactive)"
# From here on a whole number says enough of a value, and how many decimals are told at most.
_WHOLE_FROM, _DECIMALS = 100, 3
# Letters from which a word of a name stands for the name.
_TELLING = 5


def value_pattern(value: Decimal) -> str:
    """The value as a person writes it: rounded to one, two or three decimals, from 100 on also to none."""
    least = 0 if abs(value) >= _WHOLE_FROM or value == value.to_integral_value() else 1
    forms = dict.fromkeys(_rounded(value, decimals) for decimals in range(least, _DECIMALS + 1))
    digits = f"{value:f}"
    longer = [re.escape(digits[: _cut(digits)]) + r"\d+"] if _cut(digits) < len(digits) else []
    return rf"(?<![\d.])(?:{'|'.join([*forms, *longer])})"


def _cut(digits: str) -> int:
    """Up to which character a number has its first three decimals."""
    return len(digits.partition(".")[0]) + 1 + _DECIMALS


def _rounded(value: Decimal, decimals: int) -> str:
    rounded = value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    whole = rounded == rounded.to_integral_value()
    digits = re.escape(f"{rounded:f}".rstrip("0").rstrip(".") if "." in f"{rounded:f}" else f"{rounded:f}")
    return rf"{digits}(?:\.0+)?(?!\.?\d)" if whole else rf"{digits}0*(?!\d)"


def of_result(fact: ClinicalFact, result: str, role: str, *, safety: bool = False) -> Gold:
    """A value with its day."""
    row, value = by_id("results")[result], number(fact)
    pattern = value_pattern(value) if value is not None else ""
    label = f"{role} {row['id']} {fact.quantity.value} ({day_of(fact)})"
    return Gold(FACT, label, "result", code(fact), day_of(fact), name=row["name"], value=pattern, safety=safety)


def of_event(fact: ClinicalFact, name: str, role: str, kind: str, *, safety: bool = False) -> Gold:
    """What was done or happened on a day."""
    label = f"{role} {plain(fact)} ({day_of(fact)})"
    return Gold(FACT, label, kind, code(fact), day_of(fact), name=name, safety=safety)


def of_problem(chart: Chart, problem: str, *, safety: bool = False) -> Gold | None:
    """A problem since it was first recorded; of what comes and goes, the last time."""
    row, entries = by_id("problems")[problem], chart.problem(problem)
    if not entries:
        return None
    chosen, role = (entries[-1], "last") if row["event"] else (entries[0], "since")
    return of_event(chosen, row["name"], role, "problem", safety=safety)


def of_drug(orders: Sequence[ClinicalFact], *, safety: bool = False) -> Gold:
    """A drug by its newest order or its first: either says that it is taken, and since when."""
    newest, days = orders[-1], tuple(dict.fromkeys(map(day_of, orders)))
    label = f"{plain(newest)}, last ordered {day_of(newest)}"
    return Gold(FACT, label, "medication", code(newest), day_of(newest), days[:-1], drug_name(newest), safety=safety)


def of_stopped(orders: Sequence[ClinicalFact], *, safety: bool = False) -> Gold:
    """That a drug is no longer taken."""
    newest, name = orders[-1], drug_name(orders[-1])
    said = rf"(?:{name})[^;]*{_STOPPED}|{_STOPPED}[^;]*(?:{name})"
    label = f"{plain(newest)} is stopped ({end_of(newest)})"
    return Gold(FACT, label, "medication", code(newest), name=said, day_needed=False, safety=safety)


def of_allergy(fact: ClinicalFact, *, safety: bool = True) -> Gold:
    return Gold(FACT, f"allergy: {plain(fact)}", "allergy", code(fact), name=word_pattern(plain(fact)), safety=safety)


def none_of(label: str, *patterns: str) -> Gold:
    """That something is not recorded."""
    return Gold(ABSENCE, label, said=(NO, *patterns))


def code(fact: ClinicalFact) -> str:
    return fact.source_code.code or fact.code.code


def drug_name(fact: ClinicalFact) -> str:
    """Its ingredient, its brand in brackets, or the name under which it was ordered where that is another."""
    own, ordered = word_pattern(plain(fact)), fact.source_code.display.casefold()
    sent = re.findall(r"\[([a-z]{4,})", ordered)
    sent += re.findall(r"^[a-z]{5,}", ordered) if not re.search(own, ordered) else []
    return "|".join(dict.fromkeys([own, *sent]))


def word_pattern(name: str) -> str:
    """The longest telling word of a name, whatever stands around it; British and American spelling."""
    words = re.findall(r"[a-z]+", name)
    longest = max(words, key=len, default=name)
    word = longest if len(longest) >= _TELLING else name
    return rf"\b{re.escape(word).replace('mould', 'mou?ld')}"


KINDS = {
    pb.FACT_KIND_PROBLEM: "problem",
    pb.FACT_KIND_MEDICATION: "medication",
    pb.FACT_KIND_PROCEDURE: "procedure",
    pb.FACT_KIND_IMMUNIZATION: "immunization",
}
