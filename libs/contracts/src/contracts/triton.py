"""The word that Triton asks of whoever loads or unloads models (its restricted protocols): loading runs code.

`LONGITUDE_TRITON_CONTROL_FILE` names a file with the word; only who operates models has it.
"""

import os
from collections.abc import Mapping
from pathlib import Path

KEY = "longitude-control"
_FILE = "LONGITUDE_TRITON_CONTROL_FILE"


def control(variables: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Headers of a call to the control protocol; none where no file is named."""
    name = variables.get(_FILE)
    return {f"triton-grpc-protocol-{KEY}": Path(name).read_text().strip()} if name else {}
