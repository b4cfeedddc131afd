"""What the verifier's model is worth on texts as found, beside a plain threshold on the embedder's cosine.

Only pairs of the report part are counted; thresholds of both are set on the calibration part. Needs LONGITUDE_CORPUS.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from entailment import calibration
from entailment.calibration import Floats
from entailment.encoder import Encoder
from entailment.judge import WEIGHTS, Judge
from entailment.network import Reader
from entailment.pairs import Pair, Part, part_of

from tests.evals import asfound
from tests.evals.asfound import Note

MODEL = Path(__file__).resolve().parents[2] / "deploy" / "triton" / "models" / "verifier" / "1"
SETS = ("scifact", "medhallu", "medec")
_TOGETHER = 32

Line = list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Scored:
    """Pairs of one set with how far each is supported, by one judge."""

    scores: Floats
    supported: "np.ndarray[tuple[int], np.dtype[np.bool_]]"

    def figures(self, at: float) -> dict[str, float]:
        called = self.scores >= at
        return {
            "auroc": calibration.auroc(self.scores, self.supported),
            "f1": calibration.f1(called, self.supported),
            "accuracy": float((called == self.supported).mean()),
        }

    def precision_recall(self) -> Line:
        """Of calling supported, from the surest on."""
        hits = np.cumsum(self.supported[np.argsort(-self.scores)])
        many = np.arange(1, len(hits) + 1)
        step = max(len(hits) // 60, 1)
        return [(float(r), float(p)) for r, p in zip(hits / hits[-1], hits / many, strict=True)][::step]


@dataclass(frozen=True, slots=True)
class Found:
    """Figures of the model and of the cosine, both over recall, and what the model's probabilities are worth."""

    figures: dict[str, float]
    peer: dict[str, float]
    recalled: dict[str, Line]
    reliable: dict[str, Line]


def measure() -> Found | None:
    """None, and a loud word, without the corpora."""
    folder = asfound.folder()
    if folder is None:
        return None
    pairs = [pair for pair in asfound.pairs() if pair.origin in SETS and pair.part is not Part.TRAIN]
    model, cosine = _by_set(pairs, judged(pairs)), _by_set(pairs, cosines(pairs))
    figures = _figures(model) | _of_notes(folder)
    judges = {"model": model, "cosine": cosine}
    recalled = {
        f"{name}, {judge}": scored[name, Part.REPORT].precision_recall()
        for judge, scored in judges.items()
        for name in SETS
    }
    return Found(figures, _figures(cosine), recalled, {f"{n}, model": _reliable(model[n, Part.REPORT]) for n in SETS})


def judged(pairs: Sequence[Pair]) -> Floats:
    """The model's probability that the evidence supports the sentence."""
    return np.asarray(judge().judge([(pair.sentence, pair.evidence) for pair in pairs])[:, 0])


@torch.inference_mode()
def cosines(pairs: Sequence[Pair]) -> Floats:
    """Of the embedder's vectors of sentence and evidence."""
    encoder, reader = Encoder.pretrained().eval(), Reader()
    found = np.zeros(len(pairs))
    for start in range(0, len(pairs), _TOGETHER):
        some = pairs[start : start + _TOGETHER]
        one, other = (
            _vectors(encoder, reader, texts) for texts in zip(*((p.sentence, p.evidence) for p in some), strict=True)
        )
        found[start : start + len(some)] = (one * other).sum(1).numpy()
    return found


@cache
def judge() -> Judge:
    return Judge(MODEL / WEIGHTS)


def _vectors(encoder: Encoder, reader: Reader, texts: Sequence[str]) -> torch.Tensor:
    batch = reader.read_alone(texts)
    states = encoder(batch.ids, batch.mask, batch.segments)
    weights = batch.mask.unsqueeze(-1).to(states.dtype)
    return torch.nn.functional.normalize((states * weights).sum(1) / weights.sum(1), dim=1)


def _by_set(pairs: Sequence[Pair], scores: Floats) -> dict[tuple[str, Part], Scored]:
    origins = np.array([pair.origin for pair in pairs])
    parts = np.array([pair.part for pair in pairs])
    supported = np.array([pair.supported for pair in pairs])
    return {
        (name, part): Scored(scores[at], supported[at])
        for name in SETS
        for part in (Part.CALIBRATE, Part.REPORT)
        if (at := (origins == name) & (parts == part)).any()
    }


def _figures(scored: dict[tuple[str, Part], Scored]) -> dict[str, float]:
    found: dict[str, float] = {}
    for name in SETS:
        calibrated = scored[name, Part.CALIBRATE]
        at = calibration.best_threshold(calibrated.scores, calibrated.supported)
        found |= {f"{name}, {key}": value for key, value in scored[name, Part.REPORT].figures(at).items()}
    return found


def _of_notes(folder: Path) -> dict[str, float]:
    """In how many erroneous notes the erroneous sentence is the least supported one, and by chance; and in how many its
    correction is better supported: a judge that only knows what kind of sentence errs gets half of them right.
    """
    notes = [each for each in asfound.medec(folder) if part_of(each.name) is Part.REPORT]
    errors = [(note, note.error) for note in notes if note.error is not None]
    first = [int(np.argmin(judged(_sentences(note)))) == place for note, place in errors]
    both = [_pair(note, at, text) for note, at in errors for text in (note.corrected, note.sentences[at])]
    scores = judged(both)
    return {
        "medec, erroneous sentence first": float(np.mean(first)),
        "medec, first by chance": float(np.mean([1 / len(note.sentences) for note, _ in errors])),
        "medec, correction better supported": float((scores[::2] > scores[1::2]).mean()),
    }


def _sentences(note: Note) -> list[Pair]:
    return [_pair(note, place, sentence) for place, sentence in enumerate(note.sentences)]


def _pair(note: Note, place: int, sentence: str) -> Pair:
    return Pair(sentence, note.evidence(place, sentence), "", "medec", "", Part.REPORT)


def _reliable(scored: Scored) -> Line:
    curve = calibration.calibration_curve(scored.scores, scored.supported)
    return [(stated, share) for stated, share, _ in curve]
