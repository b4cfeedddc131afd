"""Items of a rubric: which are said, by which statement first, what that is worth, which are missing."""

from collections.abc import Sequence

from consult.rewards.values import Item, Known, Shown


def newly(shown: Sequence[Shown], known: Known) -> tuple[tuple[Item, ...], ...]:
    """Of each statement the items that it is the first to say."""
    left = list(known.items)
    news = []
    for one in shown:
        news.append(tuple(item for item in left if item.is_in(one)))
        left = [item for item in left if item not in news[-1]]
    return tuple(news)


def rubric(shown: Sequence[Shown], known: Known) -> float:
    """R = (sum of w_i a_i - sum of w_i below 0) / sum of |w_i|, in [0, 1]; a_i is 1 where item i is said.

    Source: the rubric reward of Baichuan-M3 (arXiv 2602.06570), weights in [-10, 10]; a_i there is a judge's, here the
    ids decide. Gold and dangers have weights above 0, what must not be said below. Without items there is nothing to
    miss: 1.
    """
    if not known.items:
        return 1.0
    said = sum(item.weight for news in newly(shown, known) for item in news)
    unwanted = sum(item.weight for item in known.items if item.weight < 0)
    return (said - unwanted) / sum(abs(item.weight) for item in known.items)


def gold_said(news: Sequence[Item]) -> float:
    """R = sum of w_i over the wanted items that the statement is the first to say / 10, at most 1.

    Source: ours; the weight of a rubric row (arXiv 2602.06570) given to the span that earned it.
    """
    return min(1.0, sum(item.weight for item in news if item.weight > 0) / 10)


def danger_said(news: Sequence[Item]) -> float:
    """R = sum of w_i below 0 over the items that the statement is the first to say / 10, at least -1.

    Source: ours; as `gold_said`, of rows with a weight below 0: what endangers the patient when it is said.
    """
    return max(-1.0, sum(item.weight for item in news if item.weight < 0) / 10)


def missing(shown: Sequence[Shown], known: Known) -> tuple[Item, ...]:
    """Wanted items that nobody said although they were on offer."""
    return tuple(
        item
        for item in known.wanted
        if (known.offered is None or item.name in known.offered) and not any(map(item.is_in, shown))
    )


def missing_item(shown: Sequence[Shown], known: Known) -> float:
    """R = - sum of w_i over missing items / sum of w_i over wanted items, in [-1, 0]: worth of the step that finishes.

    Source: ours; the counterpart of the recall of a rubric, for whoever ended the answer too early.
    """
    wanted = sum(item.weight for item in known.wanted)
    return -sum(item.weight for item in missing(shown, known)) / wanted if wanted else 0.0
