"""From decoded grey values to what the network reads. Training and serving run this same MONAI pipeline."""

from __future__ import annotations

from functools import cache

import numpy as np
from monai.transforms.compose import Compose
from monai.transforms.intensity.array import ScaleIntensityRangePercentiles
from monai.transforms.spatial.array import Resize
from monai.transforms.utility.array import EnsureChannelFirst, EnsureType
from numpy.typing import NDArray

SIDE = 96
"""Height and width of the network's input; tests hold it equal to SIDE of `network` (which needs torch)."""


@cache
def _pipeline() -> Compose:
    return Compose(
        [
            EnsureChannelFirst(channel_dim="no_channel"),
            EnsureType(data_type="tensor", track_meta=False),
            ScaleIntensityRangePercentiles(lower=0.5, upper=99.5, b_min=0.0, b_max=1.0, clip=True),
            Resize(spatial_size=(SIDE, SIDE), mode="area"),
        ]
    )


def network_input(film: NDArray[np.float32]) -> NDArray[np.float32]:
    """[rows, columns] grey values, more is whiter, any scale -> [1, SIDE, SIDE] in 0..1.

    The aspect ratio is not kept: the whole film is read, and a place on the map is the same fraction of the film.
    """
    prepared: NDArray[np.float32] = np.asarray(_pipeline()(film), dtype=np.float32)
    return prepared
