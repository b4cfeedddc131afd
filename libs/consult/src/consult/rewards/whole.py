"""The reward of an episode, and of its steps."""

from collections.abc import Sequence
from math import prod

from consult.rewards import conduct, facts, items, order
from consult.rewards.values import Called, Credit, Item, Known, Prices, Rewarded, Shown

# Shares of the whole: what is said, in which order, and whether the first statement answers.
_QUALITY, _ORDER, _FIRST = 0.8, 0.1, 0.1


def whole(
    shown: Sequence[Shown],
    known: Known,
    calls: Sequence[Called] = (),
    finished: int = 0,
    prices: Prices = Prices(),  # noqa: B008 - frozen
) -> Rewarded:
    """R = (0.8 rubric + 0.1 nDCG + 0.1 first) * product over statements and calls of (1 - cost).

    Source: ours; the rubric is that of Baichuan-M3 (arXiv 2602.06570). A product, so that one more safe claim always
    costs, however many there are, and R stays in [0, 1], where a step factor below 1 is always a penalty. `finished`
    is the step that ended the answer; 0: nobody chose to.
    """
    news = items.newly(shown, known)
    parts = {
        "rubric": items.rubric(shown, known),
        "order": order.ndcg(news, known),
        "first": order.first_answers(news, known),
        "discount": _discount(shown, news, calls, prices),
    }
    task = _QUALITY * parts["rubric"] + _ORDER * parts["order"] + _FIRST * parts["first"]
    steps = (*_of_statements(shown, news, prices), *_of_calls(calls, prices), *_of_end(shown, known, finished))
    unfactual = facts.unfactual(shown, news)
    return Rewarded(task * parts["discount"], parts["rubric"], unfactual, _joined(steps), parts)


def _discount(shown: Sequence[Shown], news: Sequence[Sequence[Item]], calls: Sequence[Called], prices: Prices) -> float:
    costs = [
        conduct.cost(one, shown[:place], news[place], prices) for place, one in enumerate(shown) if one.episode_step
    ]
    costs += [-conduct.needless_call(called, prices) for called in calls]
    return prod(1 - cost for cost in costs)


def _of_statements(shown: Sequence[Shown], news: Sequence[Sequence[Item]], prices: Prices) -> tuple[Credit, ...]:
    """What the model chose; what a rule showed is nobody's merit."""
    return tuple(
        Credit(
            one.episode_step,
            _worth(one, shown[:place], news[place], prices),
            conduct.severity(one, shown[:place], prices),
        )
        for place, one in enumerate(shown)
        if one.episode_step
    )


def _worth(one: Shown, before: Sequence[Shown], news: Sequence[Item], prices: Prices) -> float:
    earned = items.gold_said(news) + items.danger_said(news)
    return max(-1.0, earned - conduct.cost(one, before, news, prices))


def _of_calls(calls: Sequence[Called], prices: Prices) -> tuple[Credit, ...]:
    return tuple(
        Credit(
            called.episode_step, conduct.needless_call(called, prices), conduct.CLEAN if called.needed else conduct.MILD
        )
        for called in calls
    )


def _of_end(shown: Sequence[Shown], known: Known, finished: int) -> tuple[Credit, ...]:
    return (Credit(finished, items.missing_item(shown, known)),) if finished else ()


def _joined(steps: Sequence[Credit]) -> tuple[Credit, ...]:
    """One credit a step: rewards of statements that one step chose add up, the severest decides."""
    joined: dict[int, Credit] = {}
    for step in steps:
        other = joined.get(step.episode_step)
        if other:
            step = Credit(  # noqa: PLW2901 - joined with what stands there
                step.episode_step, max(-1.0, min(1.0, other.reward + step.reward)), min(other.severity, step.severity)
            )
        joined[step.episode_step] = step
    return tuple(joined[number] for number in sorted(joined))
