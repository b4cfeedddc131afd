"""Labelled pairs, one JSON object a line: what training, calibration and the report are fed with.

Guarantee: a group (one abstract, one question, one note, one story) is never in two parts.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

# Labels beside those of the network: a pair of which is known only that its evidence does not support it.
REFUTED = "refuted"


class Part(StrEnum):
    """What a pair is for. Figures are reported on the last only."""

    TRAIN = "train"
    CALIBRATE = "calibrate"
    REPORT = "report"


@dataclass(frozen=True, slots=True)
class Pair:
    """`label`: supported, contradicted, unsupported or refuted. `origin`: the data set; `kind`: what was done to it."""

    sentence: str
    evidence: str
    label: str
    origin: str
    kind: str
    part: Part

    @property
    def supported(self) -> bool:
        return self.label == "supported"


def part_of(group: str) -> Part:
    """Six in ten train, two calibrate, two are reported on: by the group's hash, the same everywhere."""
    place = int(hashlib.sha256(group.encode()).hexdigest(), 16) % 10
    return Part.TRAIN if place < 6 else Part.CALIBRATE if place < 8 else Part.REPORT


def write(pairs: Iterable[Pair], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(asdict(pair)) + "\n" for pair in pairs), encoding="utf-8")


def read(path: Path) -> list[Pair]:
    """ValueError names the line that is no pair."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [_pair(line, number) for number, line in enumerate(lines, 1)]


def _pair(line: str, number: int) -> Pair:
    try:
        held = json.loads(line)
        return Pair(**(held | {"part": Part(held["part"])}))
    except (TypeError, KeyError, ValueError) as error:
        raise ValueError(f"line {number} is no pair: {error}") from error
