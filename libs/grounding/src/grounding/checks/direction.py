"""Rose, fell, stayed: against the series of the concept, recorded or computed, from first to last."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from longitude.record.v1.fact_pb2 import ClinicalFact

from grounding import binding, facts
from grounding.calculators import egfr
from grounding.checks.context import Context, contradicted, unsupported
from grounding.checks.negation import negated_names
from grounding.claims import Claim, Verdict
from grounding.mentions import Cue, CueMention, DateMention, NameMention
from grounding.scan import cue

_WANTED = {Cue.RISE: 1, Cue.FALL: -1, Cue.STEADY: 0}
# Within this share of the first value a series is called steady.
STEADY = Decimal("0.05")

Series = Sequence[tuple[date, Decimal, tuple[str, ...]]]


def check(context: Context) -> list[Claim]:
    return [_check_one(each, context) for each in cue(context.sentence, *_WANTED)]


def _check_one(mention: CueMention, context: Context) -> Claim:
    def has_series(name: NameMention) -> bool:
        return len(_series(name, context)) >= 2

    name = binding.nearest_name(context.sentence, mention, has_series)
    if name is None and context.carried is not None and has_series(context.carried):
        name = context.carried
    if name is None or name in negated_names(context) or "not" in context.before(mention, 10).split():
        return unsupported(mention, "direction", "no cited series shows a direction")
    series = _within(_series(name, context), context)
    first, last = series[0][1], series[-1][1]
    pointers = tuple(dict.fromkeys(fact_id for _, _, used in (series[0], series[-1]) for fact_id in used))
    if _agrees(_WANTED[mention.cue], first, last):
        return Claim(mention.start, mention.end, "direction", Verdict.SUPPORTED, "", pointers)
    claim = contradicted(mention, "direction", f"the record goes from {first} to {last}")
    return Claim(claim.start, claim.end, claim.check, claim.verdict, claim.reason, pointers)


def _agrees(wanted: int, first: Decimal, last: Decimal) -> bool:
    if wanted == 0:
        return abs(last - first) <= abs(first) * STEADY
    return (last - first) * wanted > 0


def _series(name: NameMention, context: Context) -> Series:
    """The concept's cited results; where there are fewer than two, what was computed from others."""
    own = [_point(fact) for fact in context.cited.matching(name.keys)]
    recorded = [point for point in own if point is not None]
    if len({day for day, _, _ in recorded}) >= 2:
        return sorted(recorded)
    derived = [each for each in context.cited.derived_matching(name.keys) if each.name == egfr.NAME]
    return sorted((each.day, each.value, each.fact_ids) for each in derived)


def _within(series: Series, context: Context) -> Series:
    """Only the days between the sentence's own first and last date, where it names at least two of the series."""
    dates = [each for each in context.sentence.mentions if isinstance(each, DateMention)]
    named = [point for point in series if any(each.includes(point[0]) for each in dates)]
    return named if len(named) >= 2 else series


def _point(fact: ClinicalFact) -> tuple[date, Decimal, tuple[str, ...]] | None:
    value, day = facts.number(fact.quantity) if fact.HasField("quantity") else None, facts.starts_on(fact)
    return (day, value, (fact.fact_id,)) if value is not None and day else None
