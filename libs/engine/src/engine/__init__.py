"""Token ids in, token ids and log-probabilities out; importing this package imports no torch (see `engine.llama`)."""

import os

# Idle threads of torch sleep instead of spinning. On a machine that does other work too (the local stack, CI) a
# spinning pool runs several times slower: it waits for threads that are not scheduled. Must precede torch's import.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from engine.folder import ModelFolder, ModelMissingError, open_folder
from engine.request import BusyError, Chunk, FinishReason, Request, RequestRefusedError
from engine.sampling import Sampling

__all__ = [
    "BusyError",
    "Chunk",
    "FinishReason",
    "ModelFolder",
    "ModelMissingError",
    "Request",
    "RequestRefusedError",
    "Sampling",
    "open_folder",
]
