"""Token ids in, token ids and log-probabilities out; importing this package imports no torch (see `engine.llama`)."""

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
