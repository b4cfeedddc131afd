"""Categories that follow from values (KDIGO stages, rapid progression), and dosage words (route, frequency)."""

import re
from collections.abc import Sequence

from longitude.record.v1.fact_pb2 import FACT_KIND_MEDICATION, ClinicalFact

from grounding import binding, facts, relations
from grounding.calculators import dose_limit, egfr_slope, gfr_category
from grounding.checks.context import Context, contradicted, supported, unsupported
from grounding.claims import Claim, Verdict
from grounding.derived import Derived
from grounding.mentions import LabelMention, NameMention
from grounding.vocabulary import words

_PER_DAY: tuple[tuple[re.Pattern[str], float], ...] = (
    (re.compile(r"^(twice|two times)\b.*(daily|day)|^(bid|b\.i\.d\.|q12h|every 12 hours|2x)", re.IGNORECASE), 2),
    (re.compile(r"^(thrice|three times)\b.*(daily|day)|^(tid|t\.i\.d\.|q8h|every 8 hours|3x)", re.IGNORECASE), 3),
    (re.compile(r"^four times\b.*(daily|day)|^(qid|q6h|every 6 hours|4x)", re.IGNORECASE), 4),
    (re.compile(r"^(q4h|every 4 hours)", re.IGNORECASE), 6),
    (re.compile(r"^(twice|two times)\b.*week", re.IGNORECASE), 2 / 7),
    (re.compile(r"^(thrice|three times)\b.*week", re.IGNORECASE), 3 / 7),
    (re.compile(r"^(?:once )?weekly|a week|^qw", re.IGNORECASE), 1 / 7),
    (re.compile(r"daily|a day|per day|^(qd|q24h|every 24 hours|nightly|qhs|qam|qpm|1x)", re.IGNORECASE), 1),
)
_AS_NEEDED = re.compile(r"\b(?:(?:as|when|if) needed|prn|p\.r\.n\.)", re.IGNORECASE)
_ROUTES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("oral", ("orally", "oral", "by mouth", "per os", "p.o.", "po")),
    ("intravenous", ("intravenously", "intravenous", "iv")),
    ("subcutaneous", ("subcutaneously", "subcutaneous", "sc", "sq")),
    ("intramuscular", ("intramuscular", "im")),
    ("inhaled", ("inhaled", "inhalation", "ih")),
    ("topical", ("topical", "top")),
    ("rectal", ("rectal", "pr")),
    ("sublingual", ("sublingual", "sl")),
    ("transdermal", ("transdermal", "td")),
)


def check(context: Context) -> list[Claim]:
    return [
        _check_dosage(each, context) if each.family in {"route", "frequency"} else _check_category(each, context)
        for each in context.sentence.mentions
        if isinstance(each, LabelMention) and each.family != relations.FAMILY
    ]


def times_per_day(text: str) -> float | None:
    """How often a day: `BID`, `twice daily` and `every 12 hours` are all 2; None for what is not understood."""
    clean = text.strip()
    return next((times for pattern, times in _PER_DAY if pattern.search(clean)), None)


def route(text: str) -> str:
    """One word for a route, however it was abbreviated."""
    clean = text.strip().lower()
    return next((name for name, spellings in _ROUTES if clean in spellings), clean)


def _check_dosage(mention: LabelMention, context: Context) -> Claim:
    def is_medication(name: NameMention) -> bool:
        return any(fact.kind == FACT_KIND_MEDICATION for fact in context.cited.matching(name.keys))

    name = binding.nearest_name(context.sentence, mention, is_medication)
    found = context.cited.matching(name.keys) if name else ()
    if _AS_NEEDED.search(mention.text):
        return _check_as_needed(mention, found)
    stated = [(fact, known) for fact in found for known in _stated(fact, mention.family)]
    wanted = times_per_day(mention.text) if mention.family == "frequency" else route(mention.text)
    agreeing = [fact for fact, known in stated if known == wanted]
    if agreeing:
        return supported(mention, mention.family, agreeing)
    other = [fact for fact, known in stated if known]
    if other:
        return contradicted(mention, mention.family, "the record states another", other)
    return unsupported(mention, mention.family, "no cited medication states it")


def _check_as_needed(mention: LabelMention, medications: Sequence[ClinicalFact]) -> Claim:
    said = [fact for fact in medications if _AS_NEEDED.search(_how_taken(fact))]
    if said:
        return supported(mention, mention.family, said)
    return unsupported(mention, mention.family, "no cited medication is taken as needed")


def _how_taken(fact: ClinicalFact) -> str:
    return " ".join(f"{each.frequency} {each.instruction}" for each in facts.dosages(fact))


def _stated(fact: ClinicalFact, family: str) -> list[float | str | None]:
    """The frequency or the route of each dose."""
    doses = facts.dosages(fact)
    return [times_per_day(each.frequency) if family == "frequency" else route(each.route) for each in doses]


def _check_category(mention: LabelMention, context: Context) -> Claim:
    if mention.family == "rapid-progression":
        return _check_progression(mention, context)
    if mention.family == dose_limit.NAME:
        return _check_limit(mention, context)
    family = gfr_category.NAME if mention.family == "ckd-stage" else mention.family
    derived = [each for each in context.cited.derived if each.name == family]
    known = _of_its_day(derived, mention, context)
    agreeing = [each for each in known if _same_stage(mention, each.label)]
    if agreeing:
        return Claim(mention.start, mention.end, "category", Verdict.SUPPORTED, "", agreeing[0].fact_ids)
    if words(mention.text) <= context.cited.words and mention.text.lower() in _recorded(context):
        return supported(mention, "category")
    if known:
        return contradicted(mention, "category", f"by the cited values it is {known[0].label}")
    return unsupported(mention, "category", "no cited value gives this category")


def _of_its_day(derived: list[Derived], mention: LabelMention, context: Context) -> list[Derived]:
    """Those of the day that follows the category in the sentence. Without one, the newest: a category is said of today,
    unless the sentence tells a course of several.
    """
    day = binding.day_after(context.sentence, mention)
    if day is not None:
        return [each for each in derived if day.includes(each.day)]
    told = [each for each in context.sentence.mentions if isinstance(each, LabelMention)]
    if sum(each.family == mention.family for each in told) > 1:
        return derived
    newest = max((each.day for each in derived), default=None)
    return [each for each in derived if each.day == newest]


def _check_progression(mention: LabelMention, context: Context) -> Claim:
    slopes = [each for each in context.cited.derived if each.name == egfr_slope.NAME]
    if not slopes:
        return unsupported(mention, "category", "no cited series gives a rate of decline")
    slope = slopes[0]
    if float(slope.value) < egfr_slope.RAPID_PROGRESSION:
        return Claim(mention.start, mention.end, "category", Verdict.SUPPORTED, "", slope.fact_ids)
    return contradicted(mention, "category", f"by the cited values the rate is {slope.text}")


def _check_limit(mention: LabelMention, context: Context) -> Claim:
    """About the nearest drug alone: what holds of one drug supports nothing about another."""
    name = binding.nearest_name(context.sentence, mention, lambda each: each.is_drug)
    known = [each for each in context.cited.derived_matching(name.keys) if each.name == dose_limit.NAME] if name else []
    denied = context.before(mention, 6).rstrip().endswith("not")
    agreeing = [each for each in known if (mention.text.lower() == each.label) != denied]
    if agreeing:
        return Claim(mention.start, mention.end, "category", Verdict.SUPPORTED, "", agreeing[0].fact_ids)
    if known:
        return contradicted(mention, "category", f"by the cited kidney function it is {known[0].text}")
    if mention.text.lower() in _recorded(context):
        return supported(mention, "category")
    return unsupported(mention, "category", "no cited kidney function says so")


def _same_stage(mention: LabelMention, label: str) -> bool:
    if mention.family != "ckd-stage":
        return mention.text.lower() == label.lower()
    stage = mention.text.rsplit(None, 1)[-1].lower()
    return label.lower() == f"g{stage}" or (stage == "3" and label.startswith("G3"))


def _recorded(context: Context) -> str:
    return " ".join(facts.searchable(fact) for fact in context.cited.facts).lower()
