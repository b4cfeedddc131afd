"""Lies by kind: each changes one thing of a true rendered statement, so that it is false of its patient.

The evaluation tells them to the verifier; the trained model learns from those about other stories.
"""

import random
import re
from collections.abc import Callable
from datetime import date, timedelta

from testkit.stories.plan import NEVER_TAKEN

# A lie about a text, or None where the text has nothing of that kind.
Lie = Callable[[str, random.Random], str | None]

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_VALUE = re.compile(r"(?<![\d-])(\d+(?:\.\d+)?)(?= ?(?:mg/dL|mmol/L|g/dL|%))")
_DOSE = re.compile(r"\b[\d.]+(?= mg (?:Oral|oral))")
TAKEN = re.compile(
    r"\b(?:metformin|lisinopril|ramipril|amlodipine|atorvastatin|furosemide|naproxen|ibuprofen)\b", re.IGNORECASE
)
_MOVED = re.compile(r"\b(?:rose|fell)(?= from\b)")
_WRONG_UNIT = {"mg/dL": "umol/L", "mmol/L": "mg/dL", "g/dL": "g/L"}
_FREQUENCIES = ("once daily", "twice daily", "three times daily", "four times daily")
_ROUTES = ("intravenous", "subcutaneous", "inhaled", "rectal")
# Brands of what no patient of the stories takes.
_BRANDS = ("Coumadin", "Aldactone", "Prilosec", "Synthroid")
_IN_WORDS = ("seventy", "three hundred", "fifteen", "two thousand")
_OTHER_WAY = {"rose": "fell", "fell": "rose"}
_OTHER_STATE = {
    "active since": "stopped on", "stopped on": "active since", "resolved on": "active since",
    "ordered on": "active since", "recorded on": "since",
}  # fmt: skip
_SPANS = ("two weeks", "3 weeks", "nine years", "11 years")


def _value(text: str, chance: random.Random) -> str | None:
    """One value times a factor that no rounding explains; quotations are left alone."""
    return _at_one(
        _VALUE, text, chance, lambda old: f"{float(old) * chance.choice([0.7, 1.37, 10]):.{_decimals(old)}f}"
    )


def _rounded(text: str, chance: random.Random) -> str | None:
    """One value with a decimal less, where that is another number."""
    told = _at_one(_VALUE, text, chance, lambda old: f"{float(old):.{max(_decimals(old) - 1, 0)}f}")
    return told if told is None or _numbers(told) != _numbers(text) else None


def _swap(text: str, _: random.Random) -> str | None:
    """The first two different values of the lead change places: each is true, but not there."""
    found = list(_VALUE.finditer(text.partition("“")[0].partition(";")[0]))
    if len(found) != 2 or found[0].group() == found[1].group():
        return None
    one, other = found
    middle = text[one.end() : other.start()]
    return text[: one.start()] + other.group() + middle + one.group() + text[other.end() :]


def _unit(text: str, chance: random.Random) -> str | None:
    return _at_one(_any_of(_WRONG_UNIT), text, chance, _WRONG_UNIT.__getitem__)


def _dose(text: str, chance: random.Random) -> str | None:
    return _at_one(_DOSE, text, chance, lambda old: f"{float(old) * 3:g}")


def _dose_in_words(text: str, chance: random.Random) -> str | None:
    return _at_one(_DOSE, text, chance, lambda _: chance.choice(_IN_WORDS))


def _route(text: str, chance: random.Random) -> str | None:
    return _at_one(re.compile(r"(?<= mg )[Oo]ral\b"), text, chance, lambda _: chance.choice(_ROUTES))


def _frequency(text: str, chance: random.Random) -> str | None:
    return _at_one(
        _any_of(_FREQUENCIES), text, chance, lambda old: chance.choice([each for each in _FREQUENCIES if each != old])
    )


def _day(text: str, chance: random.Random) -> str | None:
    moved = timedelta(days=chance.randint(23, 61))
    return _at_one(_DATE, text, chance, lambda old: (date.fromisoformat(old) + moved).isoformat())


def _interval(text: str, chance: random.Random) -> str | None:
    """A span of time that no course of a story takes."""
    return _at_one(_MOVED, text, chance, lambda old: f"{old} within {chance.choice(_SPANS)}")


def _direction(text: str, chance: random.Random) -> str | None:
    return _at_one(_MOVED, text, chance, _OTHER_WAY.__getitem__)


def _category(text: str, chance: random.Random) -> str | None:
    return _at_one(
        re.compile(r"\bG(?:1|2|3a|3b|4|5)\b"), text, chance, lambda old: "G5" if old in "G1 G2 G3a" else "G1"
    )


def _temporality(text: str, chance: random.Random) -> str | None:
    return _at_one(_any_of(_OTHER_STATE), text, chance, _OTHER_STATE.__getitem__)


def _laterality(text: str, chance: random.Random) -> str | None:
    return _at_one(re.compile(r"\b(?:left|right)\b"), text, chance, lambda old: "left" if old == "right" else "right")


def _negation(text: str, chance: random.Random) -> str | None:
    if text.startswith("Problem: "):
        return chance.choice([text.replace("Problem: ", "Problem: no "), f"The patient does not have {_named(text)}."])
    if text.startswith("Allergy: "):
        return f"No allergy to {_named(text)}."
    return _at_one(re.compile(r": active\b"), text, chance, lambda _: ": not active")


def _hedging(text: str, chance: random.Random) -> str | None:
    """Less certain than the record: what it states becomes a suspicion."""
    hedge = chance.choice(["possible", "suspected", "probable"])
    return text.replace("Problem: ", f"Problem: {hedge} ") if text.startswith("Problem: ") else None


def _experiencer(text: str, _: random.Random) -> str | None:
    return f"Her mother has {_named(text)}." if text.startswith(("Problem: ", "Allergy: ")) else None


def _drug(text: str, chance: random.Random) -> str | None:
    return _at_one(TAKEN, text, chance, lambda _: chance.choice(NEVER_TAKEN))


def _brand(text: str, chance: random.Random) -> str | None:
    return _at_one(TAKEN, text, chance, lambda _: chance.choice(_BRANDS))


def _kind(text: str, _: random.Random) -> str | None:
    """An entry of another kind: a problem told as an allergy, an allergy as a problem."""
    told, _colon, _rest = text.partition(": ")
    other = {"Problem": "Allergy", "Allergy": "Problem"}.get(told)
    return f"{other}: {_named(text)}." if other else None


LIES: dict[str, Lie] = {
    "value": _value, "unit": _unit, "dose": _dose, "date": _day, "laterality": _laterality, "negation": _negation,
    "experiencer": _experiencer, "drug": _drug, "swapped values": _swap, "number in words": _dose_in_words,
    "route": _route, "frequency": _frequency, "interval": _interval, "direction": _direction, "category": _category,
    "temporality": _temporality, "hedging": _hedging, "brand": _brand, "kind": _kind,
    "rounded value": _rounded,
}  # fmt: skip


def _named(text: str) -> str:
    """The name in `Problem: <name>, active since ...`: with its own commas, without what is said of it."""
    return re.split(r", (?:active|resolved|reaction|recorded)\b", text.partition(": ")[2])[0].rstrip(".")


def _numbers(text: str) -> list[float]:
    return [float(each) for each in _VALUE.findall(text)]


def _decimals(number: str) -> int:
    return len(number.partition(".")[2])


def _any_of(words: "dict[str, str] | tuple[str, ...]") -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(words)})\b")


def _at_one(pattern: re.Pattern[str], text: str, chance: random.Random, change: Callable[[str], str]) -> str | None:
    """Changes one match outside of quotations."""
    end = text.find("“") if "“" in text else len(text)
    found = [match for match in pattern.finditer(text) if match.end() <= end]
    if not found:
        return None
    match = chance.choice(found)
    return text[: match.start()] + change(match.group()) + text[match.end() :]
