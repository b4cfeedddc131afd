"""What stands first."""

from collections.abc import Sequence
from math import log2

from consult.rewards.values import Item, Known


def ndcg(news: Sequence[Sequence[Item]], known: Known) -> float:
    """DCG = sum over places k from 1 of g_k / log2(k + 1), g_k the weight of wanted items first said there.

    The result is DCG / DCG of the items that were said, one a statement, the heaviest first, at most 1; 0 where nothing
    wanted is said.

    Source: Järvelin and Kekäläinen, ACM TOIS 20 (2002) 422-446. Normalised by what was said, so that it is about order
    and not once more about recall.
    """
    gains = [sum(item.weight for item in each if item.weight > 0) for each in news]
    best = sorted((item.weight for each in news for item in each if item.weight > 0), reverse=True)
    ideal = _discounted(best)
    if not ideal:
        return 0.0 if known.wanted else 1.0
    return min(1.0, _discounted(gains) / ideal)


def first_answers(news: Sequence[Sequence[Item]], known: Known) -> float:
    """1 where the first statement says a wanted item, else 0. Source: ours; who reads one sentence has an answer."""
    if not known.wanted:
        return 1.0
    return float(bool(news) and any(item.weight > 0 for item in news[0]))


def _discounted(gains: Sequence[float]) -> float:
    return sum(gain / log2(place + 2) for place, gain in enumerate(gains))
