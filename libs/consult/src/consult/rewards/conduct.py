"""Faults that need no rubric: off the topic, said before, false, a call that nothing came of."""

from collections.abc import Sequence

from consult.rewards.values import Called, Item, Prices, Shown

# Step factors of SPAR as published for Baichuan-M3 (arXiv 2602.06570): about 0.1 severe, about 0.9 mild.
SEVERE, MILD, CLEAN = 0.1, 0.9, 1.0


def off_topic(shown: Shown, prices: Prices) -> float:
    """R = -price where the statement does not concern the question. Source: ours; mild in M3 (arXiv 2602.06570)."""
    return 0.0 if shown.on_topic else -prices.off_topic


def repeated(shown: Shown, before: Sequence[Shown], prices: Prices) -> float:
    """R = -price where statements before it rest on all of its facts, in its kind.

    Source: ours; severe in M3 (arXiv 2602.06570). A course after the newest value is no repetition: kinds differ.
    """
    facts = frozenset[str]().union(*(one.fact_ids for one in before if one.kind == shown.kind))
    return -prices.repeated if shown.fact_ids and shown.fact_ids <= facts else 0.0


def false_state(shown: Shown, prices: Prices) -> float:
    """R = -price where what it says does not hold. Source: ours; severe in M3 (arXiv 2602.06570)."""
    return -prices.false if shown.false else 0.0


def needless_call(called: Called, prices: Prices) -> float:
    """R = -price where nothing that was shown rests on what the call brought.

    Source: ours, after the tool-call-necessity constraint that Baichuan-M4 states (arXiv 2606.08982; no formula).
    """
    return 0.0 if called.needed else -prices.needless_call


def cost(shown: Shown, before: Sequence[Shown], news: Sequence[Item], prices: Prices) -> float:
    """Share of the whole that a statement costs: its faults, or the price of an idle one; 0 where it says an item."""
    faults = off_topic(shown, prices) + repeated(shown, before, prices) + false_state(shown, prices)
    idle = prices.idle if not any(item.weight > 0 for item in news) else 0.0
    return max(-faults, idle)


def severity(shown: Shown, before: Sequence[Shown], prices: Prices) -> float:
    """Lambda of SPAR: severe of a repetition and of what is false, mild off the topic, 1 of a clean step."""
    if repeated(shown, before, prices) or false_state(shown, prices):
        return SEVERE
    return MILD if off_topic(shown, prices) else CLEAN
