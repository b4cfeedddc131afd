"""The Fact-Aware term, and why padding does not dilute it."""

from collections.abc import Sequence

from consult.rewards.values import Item, Shown

_EPSILON = 1e-6


def unfactual(shown: Sequence[Shown], news: Sequence[Sequence[Item]]) -> float:
    """R_fact = - sum of w_c I_c / (sum of w_c + eps), in [-1, 0]; I_c is 1 where claim c is false.

    Source: Fact-Aware RL of Baichuan-M3 (arXiv 2602.06570), where w_c, the saliency, is a cosine to the sentences of
    the response. Here w_c is 1 of a statement that says an item for the first time or is false, else 0: true claims
    that nobody asked for have no weight, so that padding with them leaves the term where it was.
    """
    weights = [float(one.false or bool(items)) for one, items in zip(shown, news, strict=True)]
    wrong = sum(weight for one, weight in zip(shown, weights, strict=True) if one.false)
    return -wrong / (sum(weights) + _EPSILON)
