"""Judges released texts by the truth of the story: which claims they make, and which of them are false or baseless.

It shares no code with libs/grounding and never sees a citation: it reads plain text and knows the patient. A claim is
a value of an analyte (with its unit and day), a direction, a drug with what is said of it, a disease with person and
negation, an allergy, a date, a quotation, or any other number. What it does not know claims
nothing here: that flatters free prose and nothing else, since typed statements hold no other words.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from testkit.stories import Drug, Result, Truth
from testkit.stories.formulas import egfr
from testkit.stories.plan import CHRONIC, DENIED, FAMILY, NEVER_TAKEN, NSAIDS, PASSING, REGULAR

ANALYTES = {
    "creatinine": "creatinine", "potassium": "potassium", "haemoglobin": "haemoglobin", "hemoglobin": "haemoglobin",
    "hba1c": "HbA1c", "egfr": "eGFR", "glomerular filtration rate": "eGFR",
}  # fmt: skip
DRUGS = tuple(kind[0] for kind in (*REGULAR, *NSAIDS)) + NEVER_TAKEN
_GENERAL = (
    "diabetes", "hypertension", "kidney disease", "bronchitis", "osteoarthritis", "cataract", "heart failure", "cancer",
    "pneumonia", "asthma", "copd", "infection", "anemia", "anaemia",
)  # fmt: skip
DISEASES = tuple(
    dict.fromkeys(
        [*(each[1].lower() for each in CHRONIC), *(each[1].lower() for each in PASSING), *FAMILY, *DENIED, *_GENERAL]
    )
)
DAY = r"\d{4}-\d\d-\d\d"
_UNITS = r"mg/dL|umol/L|µmol/L|mmol/L|mmol/mol|g/dL|g/L|%|mL/min/1\.73 ?m2(?: per year)?"
_ANALYTE = re.compile(r"\b(" + "|".join(ANALYTES) + r")\b", re.IGNORECASE)
_VALUE = re.compile(rf"(?<![\w.-])(-?\d+(?:\.\d+)?) ?({_UNITS})?(?:(?: on|,)? ?\(?({DAY})\)?)?")
_DRUG = re.compile(r"\b(" + "|".join(DRUGS) + r")\b", re.IGNORECASE)
_DISEASE = re.compile("|".join(re.escape(each) for each in sorted(DISEASES, key=len, reverse=True)), re.IGNORECASE)
_DATE = re.compile(DAY)
_QUOTE = re.compile(r"“([^”]*)”(?: \([^)]*\))?")
_NEGATION = re.compile(r"\b(?:no|not|denies|denied|without|never|absence of|negative for)\b", re.IGNORECASE)
_FAMILY = re.compile(r"\b(?:family|mother|father|sister|brother|relatives?)\b", re.IGNORECASE)
_MOVES = re.compile(
    rf"(rose|fell|stayed about the same) from (\d+(?:\.\d+)?)[^()]*\(({DAY})\) to (\d+(?:\.\d+)?)", re.IGNORECASE
)
_STAGE = re.compile(rf"\b(G(?:1|2|3a|3b|4|5))\b(?: \(({DAY})\))?")
_NOT_VALUES = re.compile(r"CKD-EPI 2021|KDIGO 20\d\d|Type 2|stage \d\w?|\bG\d[ab]?\b|HbA1c", re.IGNORECASE)
_ASKS = re.compile(
    r"contradictory entries|which of them is correct|^An entry needs to be confirmed: |^Which reaction belongs to |"
    r"^Is this medication taken as recorded: |^From whom or which document is "
)
_LIMIT = re.compile(
    rf"With the creatinine of ({DAY}), (\w+): (at most [\d.]+ mg per day|contraindicated|not recommended)"
)
_SENTENCE = re.compile(r"(?<=[.?!\n])\s+")
_NAMED = re.compile(r"\ballerg|\bpenicillin\b|\bsulfonamides?\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim; `problem` is empty when it is true."""

    kind: str
    text: str
    problem: str = ""


class Judge:
    """Knows one patient and the evidence library's words."""

    def __init__(self, truth: Truth, library: str) -> None:
        self._truth, self._library = truth, " ".join(library.split())
        spans = [day for pair in truth.encounters for day in pair]
        days = [*spans, *truth.letters, truth.born, *(each.day for each in truth.results)]
        days += [each.day for each in truth.allergies] + [each.since for each in truth.problems]
        days += [d for each in truth.drugs for d in (each.since, each.changed, each.until) if d]
        days += [each.until for each in truth.problems if each.until]
        self._days = frozenset([*days, *([truth.no_known_allergies] if truth.no_known_allergies else [])])

    def claims(self, text: str) -> list[Claim]:
        """Every claim of a text, sentence by sentence."""
        found = [self._quote(match[1]) for match in _QUOTE.finditer(text)]
        for sentence in _SENTENCE.split(_QUOTE.sub("", text)):
            found += self._sentence(sentence)
        return found

    def _quote(self, words: str) -> Claim:
        known = " ".join(words.split()) in self._library
        return Claim("quotation", words, "" if known else "not in the evidence library")

    def _sentence(self, sentence: str) -> Iterator[Claim]:
        if _ASKS.search(sentence):
            yield Claim("question", sentence)
            return
        limit = _LIMIT.search(sentence)
        if limit:
            yield self._limit(limit)
            return
        yield from self._absences(sentence)
        if re.search(r"\bNo .* (?:found|in the record)", sentence):
            return
        yield from self._values(sentence)
        yield from self._moves(sentence)
        yield from self._stages(sentence)
        yield from (self._drug(match[1].lower(), sentence, match.end()) for match in _DRUG.finditer(sentence))
        yield from (self._disease(match, sentence) for match in _DISEASE.finditer(sentence))
        yield from self._allergy(sentence)
        yield from self._dates(sentence)

    def _limit(self, match: re.Match[str]) -> Claim:
        """What the kidney function of that day allows of a drug that is taken."""
        taken = any(each.name == match[2].lower() for each in self._truth.drugs)
        limits = {_allowed(match[2].lower(), rate) for rate in self._rates(date.fromisoformat(match[1]))}
        return Claim("limit", match[0], "" if taken and match[3] in limits else "another limit")

    def _absences(self, sentence: str) -> Iterator[Claim]:
        match = re.search(r"\bNo (.+?) was found in the record", sentence)
        if match:
            name = ANALYTES.get(match[1].lower())
            there = bool(name and self._truth.course(name)) or match[1].lower() in {d.name for d in self._truth.drugs}
            yield Claim("absence", sentence, "it is in the record" if there else "")

    def _values(self, sentence: str) -> Iterator[Claim]:
        """Numbers with a unit or a day beside them belong to the nearest analyte before; doses are the drugs'."""
        plain = _NOT_VALUES.sub(
            lambda match: "\0" * len(match[0]), _DATE.sub(lambda m: m[0].replace("-", "‑"), sentence)
        )
        for match in _VALUE.finditer(plain.replace("‑", "-")):
            if self._is_number(match, plain):
                yield self._value(match, sentence)

    def _is_number(self, match: re.Match[str], plain: str) -> bool:
        inside_date = any(
            found.start() <= match.start() < found.end() for found in re.finditer(r"\d{4}‑\d\d‑\d\d", plain)
        )
        dose = re.match(r"\s*(?:mg|mcg|g)\b(?!/)", plain[match.end(1) :]) is not None
        return not inside_date and not dose and match[1] != "1.73"

    def _value(self, match: re.Match[str], sentence: str) -> Claim:
        value, unit, day = Decimal(match[1]), match[2] or "", date.fromisoformat(match[3]) if match[3] else None
        before = [ANALYTES[found[1].lower()] for found in _ANALYTE.finditer(sentence[: match.start()])]
        name = before[-1] if before else ""
        if not name:
            return Claim("number", match[0], "" if self._is_age(value) else "a number of nothing")
        if unit.endswith("per year"):
            return Claim("slope", match[0], "" if self._slope_fits(value) else "not how fast it changes")
        if name == "eGFR":
            fits = any(abs(value - each) <= 1 for each in self._rates(day))
            return Claim("value", match[0], "" if fits else "not an eGFR of this patient")
        return Claim("value", match[0], self._measured(name, value, unit, day, sentence))

    def _is_age(self, value: Decimal) -> bool:
        years = (self._truth.today - self._truth.born).days // 365
        return value in {Decimal(years), Decimal(years - 1)}

    def _measured(self, name: str, value: Decimal, unit: str, day: date | None, sentence: str) -> str:
        corrected = "correct" in sentence.lower() or "replace" in sentence.lower()
        course = [each for each in self._truth.course(name) if day is None or each.day == day]
        if any(_told(each, value, unit, old=corrected) for each in course):
            return ""
        if any(_told(each, value, unit, old=True) for each in course):
            return "a value that was corrected"
        if any(_told(each, value, "", old=False) for each in course):
            return "another unit"
        return "no such value on that day" if self._truth.course(name) else "never measured"

    def _rates(self, day: date | None) -> list[Decimal]:
        """EGFR of each creatinine, as it was measured or as the other unit rounds it."""
        return [
            Decimal(round(egfr(float(each.value), self._truth.born, self._truth.sex, each.day)))
            for each in self._truth.course("creatinine")
            if day is None or each.day == day
        ]

    def _slope_fits(self, stated_slope: Decimal) -> bool:
        """Within a quarter, or 1.5 a year, of the line through all eGFR."""
        course = self._truth.course("creatinine")
        years = [(each.day - course[0].day).days / 365.25 for each in course]
        rates = [egfr(float(each.value), self._truth.born, self._truth.sex, each.day) for each in course]
        mean_x, mean_y = sum(years) / len(years), sum(rates) / len(rates)
        above = sum((x - mean_x) * (y - mean_y) for x, y in zip(years, rates, strict=True))
        slope = above / sum((x - mean_x) ** 2 for x in years)
        return abs(float(stated_slope) - slope) <= max(1.5, abs(slope) / 4)

    def _moves(self, sentence: str) -> Iterator[Claim]:
        for match in _MOVES.finditer(sentence):
            first, last = Decimal(match[2]), Decimal(match[4])
            steady = abs(last - first) <= abs(first) * Decimal("0.06")
            true = {"rose": last > first, "fell": last < first}.get(match[1].lower(), steady)
            yield Claim("direction", match[0], "" if true else "it moved otherwise")

    def _stages(self, sentence: str) -> Iterator[Claim]:
        for match in _STAGE.finditer(sentence):
            day = date.fromisoformat(match[2]) if match[2] else None
            near = {_stage(rate + off) for rate in self._rates(day) for off in (Decimal(0),)}
            yield Claim("stage", match[0], "" if match[1] in near else "another stage")

    def _drug(self, name: str, sentence: str, end: int) -> Claim:
        courses = [each for each in self._truth.drugs if each.name == name]
        if not courses:
            denied = _NEGATION.search(sentence) is not None
            return Claim("drug", name, "" if denied else "never taken")
        following = re.split(_DRUG, sentence[end:])[0]
        problems = [_drug_problem(each, following, sentence) for each in courses]
        return Claim("drug", f"{name}{following}", "" if "" in problems else problems[0])

    def _disease(self, match: re.Match[str], sentence: str) -> Claim:
        name = match[0].lower()
        mine = [each for each in self._truth.problems if name in each.name.lower()]
        negated = _NEGATION.search(sentence[: match.start()]) is not None
        if _FAMILY.search(sentence):
            return Claim("disease", name, "" if name in self._truth.family else "no relative's disease")
        if negated:
            return Claim("disease", name, "the patient has it" if mine else "")
        if not mine:
            return Claim("disease", name, "not a disease of this patient")
        ended = re.search(r"\bresolved\b", sentence) is not None
        return Claim("disease", name, "" if any(ended == bool(each.until) for each in mine) else "its state differs")

    def _allergy(self, sentence: str) -> Iterator[Claim]:
        if not _NAMED.search(sentence):
            return
        if re.search(r"no known (?:drug )?allerg", sentence, re.IGNORECASE):
            yield Claim("allergy", sentence, "" if self._truth.no_known_allergies else "an allergy is known")
        for name in re.findall(r"\b(penicillin|sulfonamide)s?\b", sentence, re.IGNORECASE):
            mine = next((each for each in self._truth.allergies if each.name == name.lower()), None)
            if _NEGATION.search(sentence):
                yield Claim("allergy", sentence, "the patient is allergic" if mine else "")
            else:
                told = re.search(r"reaction (\w+)", sentence)
                fits = mine is not None and (told is None or told[1].lower() == mine.reaction)
                yield Claim("allergy", sentence, "" if fits else "not this patient's allergy")

    def _dates(self, sentence: str) -> Iterator[Claim]:
        """Any day that nothing happened on is baseless."""
        for match in _DATE.finditer(sentence):
            try:
                known = date.fromisoformat(match[0]) in self._days
            except ValueError:
                known = False
            yield Claim("date", match[0], "" if known else "nothing happened on that day")


def _told(result: Result, value: Decimal, unit: str, *, old: bool) -> bool:
    """Whether this is the measurement (or with `old` what it replaced) in that unit, or in any when none is told."""
    held = (*result.values, *(result.replaced if old else ()))
    return any(value == known and unit.replace("µ", "u") in ("", known_unit) for known, known_unit in held)


def _drug_problem(drug: Drug, following: str, sentence: str) -> str:
    dose = re.search(r"([\d.]+) mg\b(?!/)", following)
    if dose and Decimal(dose[1]) != drug.dose:
        return "an outdated dose" if Decimal(dose[1]) == drug.outdated else "another dose"
    stopped = re.search(r"\b(?:stopped|discontinued|ended)\b", sentence)
    ordered = re.search(r"\bordered on\b", following)
    active = re.search(r"\b(?:active|continues?|takes|taking|currently)\b", following)
    if stopped and not drug.until:
        return "it was not stopped"
    if active and (drug.until or drug.ordered):
        return "it is not taken"
    if re.search(r"(?<!renewed )\bsince\b", following) and not drug.until:
        return "an order says when it was given, not since when it is taken"
    told = _DATE.search(following)
    days = {each.isoformat() for each in (drug.since, drug.changed, drug.until) if each}
    return "another day" if told and (active or stopped or ordered) and told[0] not in days else ""


def _allowed(drug: str, rate: Decimal) -> str:
    """By label and guideline, for the drugs of the stories; empty where nothing limits."""
    if drug == "metformin":
        return "contraindicated" if rate < 30 else "at most 1000 mg per day" if rate < 45 else ""
    return "not recommended" if drug in {kind[0] for kind in NSAIDS} and rate < 30 else ""


def _stage(rate: Decimal) -> str:
    """KDIGO category of a rate."""
    for limit, name in ((90, "G1"), (60, "G2"), (45, "G3a"), (30, "G3b"), (15, "G4")):
        if rate >= limit:
            return name
    return "G5"
