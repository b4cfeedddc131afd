"""Whether stated probabilities mean what they say."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_BINS = 10


def calibration_curve(scores: Floats, right: NDArray[np.bool_]) -> list[tuple[float, float, int]]:
    """Of each tenth of the scale that has scores: their mean, the share that was right, how many."""
    places = np.minimum((scores * _BINS).astype(int), _BINS - 1)
    tenths = (places == each for each in range(_BINS))
    return [(float(scores[at].mean()), float(right[at].mean()), int(at.sum())) for at in tenths if at.any()]


def calibration_error(scores: Floats, right: NDArray[np.bool_]) -> float:
    """Expected calibration error over ten equal bins."""
    return sum(abs(mean - share) * many for mean, share, many in calibration_curve(scores, right)) / len(scores)
