"""OCR behind Triton's Python backend: rapidocr's PP-OCRv6 detection and recognition, without its angle classifier.

The classifier, on by default, turned single table cells upside down and read a chloride of 98 as 86; the service
sends pages upright. The card names the package version and the SHA-256 over both model files.
"""

import hashlib
import importlib.metadata
import importlib.util
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import triton_python_backend_utils as pb_utils
from rapidocr import RapidOCR

MODEL_FILES = ("PP-OCRv6_det_small.onnx", "PP-OCRv6_rec_small.onnx")
SETTINGS = {
    "Global.use_cls": False,
    "Global.log_level": "error",
    "EngineConfig.onnxruntime.intra_op_num_threads": 2,
    "EngineConfig.onnxruntime.inter_op_num_threads": 1,
}


class TritonPythonModel:
    """One reader. It runs on the CPU: seconds a page, and no GPU memory taken from the reasoner."""

    def initialize(self, args: dict[str, str]) -> None:  # noqa: ARG002 - Triton's signature
        models = _package_folder() / "models"
        digest = hashlib.sha256()
        for name in MODEL_FILES:
            digest.update((models / name).read_bytes())
        version = f"rapidocr-{importlib.metadata.version('rapidocr')}"
        card = {"name": "page_reader", "version": version, "sha256": digest.hexdigest()}
        self._card = json.dumps(card, sort_keys=True).encode()
        paths = {
            f"{kind}.model_path": str(models / name) for kind, name in zip(("Det", "Rec"), MODEL_FILES, strict=True)
        }
        self._reader = RapidOCR(params=SETTINGS | paths)

    def execute(self, requests: list[Any]) -> list[Any]:
        """A response per request; bytes that are no image are answered with an error."""
        return [self._respond(pb_utils.get_input_tensor_by_name(request, "PAGE").as_numpy()[0]) for request in requests]

    def _respond(self, page: bytes) -> Any:
        image = cv2.imdecode(np.frombuffer(page, np.uint8), cv2.IMREAD_COLOR)
        if image is None:
            return pb_utils.InferenceResponse(error=pb_utils.TritonError("PAGE is not an image"))
        read: Any = self._reader(image)
        texts = read.txts or ()
        corners = np.zeros((0, 4, 2)) if read.boxes is None else np.asarray(read.boxes)
        outputs = {
            "TEXT": np.array([text.encode() for text in texts], dtype=np.object_),
            "SCORE": np.asarray(read.scores or (), dtype=np.float32),
            "CORNERS": corners.astype(np.float32).reshape(-1, 4, 2),
            "CARD": np.array([self._card], dtype=np.object_),
        }
        return pb_utils.InferenceResponse([pb_utils.Tensor(name, values) for name, values in outputs.items()])


def _package_folder() -> Path:
    found = importlib.util.find_spec("rapidocr")
    if found is None or found.origin is None:
        raise ImportError("the page reader needs the package rapidocr in Triton's Python environment")
    return Path(found.origin).parent
