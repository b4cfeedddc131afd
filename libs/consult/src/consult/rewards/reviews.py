"""A physician's review as rewards: what was kept, removed, replaced, added."""

from collections.abc import Sequence

from longitude.reasoning.v1 import assessment_pb2 as wire

from consult.rewards import conduct
from consult.rewards.values import Credit, Rewarded

_LOST = (wire.JUDGEMENT_REMOVED, wire.JUDGEMENT_REPLACED)


def reviewed(statements: Sequence[wire.ReviewedStatement]) -> Rewarded:
    """R = sum of kept shares / (statements + additions), over statements that the model chose; the credit of each is
    `judged`, with the step factor of a mild fault where words were lost, of a severe one where all were.

    Source: ours; SPAR (arXiv 2602.06570) names the step factors. An addition is an item that was missing. Where the
    model chose nothing, it is worth nothing if something was added, else there was nothing to choose: 1.
    """
    chosen = [one for one in statements if one.episode_step]
    added = sum(map(additions, statements))
    shares = [_share(one, (wire.JUDGEMENT_KEPT,)) for one in chosen]
    reward = sum(shares) / (len(chosen) + added) if chosen or added else 1.0
    credits_ = tuple(Credit(one.episode_step, judged(one), _severity(one)) for one in chosen)
    return Rewarded(reward, reward, 0.0, credits_, {"kept": sum(shares), "added": float(added)})


def judged(statement: wire.ReviewedStatement) -> float:
    """R = (characters kept - characters removed or replaced) / all characters of the draft, in [-1, 1].

    Source: ours, after sentences of +1 and -1 in FSPO (arXiv 2505.24630), whose published code loses the places by
    tokenising again and gives +1 to all that is behind. Here characters only weigh the words; the place is the step.
    """
    return _share(statement, (wire.JUDGEMENT_KEPT,)) - _share(statement, _LOST)


def additions(statement: wire.ReviewedStatement) -> int:
    """How often something was put in where the draft had nothing."""
    return sum(span.judgement == wire.JUDGEMENT_ADDED for span in statement.spans)


def _share(statement: wire.ReviewedStatement, judgements: Sequence[int]) -> float:
    length = sum(span.end - span.start for span in statement.spans)
    counted = sum(span.end - span.start for span in statement.spans if span.judgement in judgements)
    return counted / length if length else 0.0


def _severity(statement: wire.ReviewedStatement) -> float:
    lost = _share(statement, _LOST)
    if not lost:
        return conduct.CLEAN
    return conduct.MILD if lost < 1 else conduct.SEVERE
