"""From logits to probabilities that mean what they say, and what they are worth on pairs kept apart.

Guarantee: the temperature and the threshold come from the calibration part alone; figures from the report part alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from entailment.pairs import Pair

Floats = NDArray[np.float64]
# The largest share of lies that may be called supported, and how many lies it takes to show that (rule of three).
FALSE_SUPPORT = 0.01
ENOUGH = 300
_TEMPERATURES = np.geomspace(0.25, 8, 200)
_BINS = 10


def probabilities(logits: Floats, temperature: float) -> Floats:
    """Softmax of `logits / temperature` along the last axis."""
    scaled = logits / temperature
    raised = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True))


def temperature(logits: Floats, supported: NDArray[np.bool_]) -> float:
    """The one under which supported or not is least surprising (Guo 2017)."""

    def surprise(one: float) -> float:
        chosen = probabilities(logits, one)[:, 0]
        return float(-np.log(np.where(supported, chosen, 1 - chosen).clip(1e-9)).mean())

    return float(min(_TEMPERATURES, key=surprise))


def threshold(scores: Floats, supported: NDArray[np.bool_]) -> float | None:
    """The highest score of a lie. None where the lies are too few to promise that one in a hundred lies above it."""
    lies = scores[~supported]
    return float(lies.max()) if len(lies) >= ENOUGH else None


def auroc(scores: Floats, positive: NDArray[np.bool_]) -> float:
    """Chance that a positive scores above a negative; ties count half. Not a number without both."""
    high, low = scores[positive], scores[~positive]
    if not len(high) or not len(low):
        return float("nan")
    above = (high[:, None] > low[None, :]).mean() + 0.5 * (high[:, None] == low[None, :]).mean()
    return float(above)


def f1(called: NDArray[np.bool_], positive: NDArray[np.bool_]) -> float:
    """Harmonic mean of precision and recall."""
    both = float((called & positive).sum())
    return 2 * both / max(float(called.sum() + positive.sum()), 1.0)


def best_threshold(scores: Floats, positive: NDArray[np.bool_]) -> float:
    """The score from which calling positive gives the best F1."""
    return float(max(np.unique(scores), key=lambda at: f1(scores >= at, positive)))


def calibration_curve(scores: Floats, right: NDArray[np.bool_]) -> list[tuple[float, float, int]]:
    """Of each tenth of the scale that has scores: their mean, the share that was right, how many."""
    places = np.minimum((scores * _BINS).astype(int), _BINS - 1)
    tenths = (places == each for each in range(_BINS))
    return [(float(scores[at].mean()), float(right[at].mean()), int(at.sum())) for at in tenths if at.any()]


def calibration_error(scores: Floats, right: NDArray[np.bool_]) -> float:
    """Expected calibration error over ten equal bins."""
    return sum(abs(mean - share) * many for mean, share, many in calibration_curve(scores, right)) / len(scores)


@dataclass(frozen=True, slots=True)
class Figures:
    """What the model is worth on one set of pairs, supported against not."""

    pairs: int
    supported: int
    auroc: float
    accuracy: float
    f1: float
    calibration_error: float
    brier: float

    @classmethod
    def of(cls, scores: Floats, supported: NDArray[np.bool_]) -> "Figures":
        called = scores >= 0.5
        return cls(
            len(scores),
            int(supported.sum()),
            round(auroc(scores, supported), 3),
            round(float((called == supported).mean()), 3),
            round(f1(called, supported), 3),
            round(calibration_error(scores, supported), 3),
            round(float(((scores - supported) ** 2).mean()), 3),
        )


def by_origin(scores: Floats, pairs: Sequence[Pair]) -> Mapping[str, Figures]:
    """Figures of each data set."""
    origins = np.array([pair.origin for pair in pairs])
    supported = np.array([pair.supported for pair in pairs])
    return {str(each): Figures.of(scores[origins == each], supported[origins == each]) for each in sorted(set(origins))}
