"""Pairs from the openly licensed sets under LONGITUDE_CORPUS, as found: scifact, medhallu and medec.

Licences: scifact's claims CC BY 4.0, its abstracts ODC-By 1.0; medhallu MIT; medec CC BY 4.0. None of it is in the
repository.
"""

import csv
import io
import lzma
import os
import random
import re
import sys
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from entailment.pairs import REFUTED, Pair, Part, part_of
from grounding.evidence import nearest

CORPUS = os.environ.get("LONGITUDE_CORPUS", "")
_LABELS = {"SUPPORT": "supported", "CONTRADICT": "contradicted", "": "unsupported"}
# One item of a printed NumPy array of texts: quoted either way, items follow without a comma.
_ITEM = re.compile(r"'((?:[^'\\]|\\.|'(?=\w))*)'|\"((?:[^\"\\]|\\.)*)\"", re.DOTALL)
_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.]*\d)")
_OPPOSITES = {
    "increased": "decreased", "decreased": "increased", "higher": "lower", "lower": "higher", "increase": "decrease",
    "decrease": "increase", "reduced": "raised", "with": "without", "more": "less", "improved": "worsened",
    "positive": "negative", "before": "after", "is": "is not", "was": "was not", "were": "were not", "are": "are not",
    "can": "cannot", "significantly": "not significantly",
}  # fmt: skip
_OPPOSITE = re.compile(rf"\b(?:{'|'.join(_OPPOSITES)})\b")


def folder() -> Path | None:
    """The sets' folder; says on the terminal when there is none."""
    if not CORPUS:
        print(
            "LONGITUDE_CORPUS is not set: scifact, medhallu and medec are NOT read, figures as found are MISSING",
            file=sys.stderr,
        )
        return None
    return Path(CORPUS) / "bench"


def pairs() -> Iterator[Pair]:
    """All of all sets; nothing without the corpora."""
    found = folder()
    if found:
        yield from scifact(found)
        yield from perturbed(found)
        yield from medhallu(found)
        yield from medec_pairs(found)


def scifact(bench: Path) -> Iterator[Pair]:
    """A claim with the nearest sentences of an abstract that it cites: supported, contradicted or neither.

    A claim whose abstracts fall into several parts stays in training alone: its words are known there.
    """
    abstracts = _abstracts(bench)
    cited: dict[tuple[str, str], str] = {}
    for row in [*_scifact(bench, "claims_train.csv"), *_scifact(bench, "claims_validation.csv")]:
        name = row["evidence_doc_id"] or row["cited_doc_ids"].strip("[]").split()[0].rstrip(",")
        if name in abstracts:
            cited[row["claim"], name] = _LABELS[row["evidence_label"]]
    parts = {claim: {part_of(name) for said, name in cited if said == claim} for claim, _ in cited}
    for (claim, name), label in cited.items():
        part = part_of(name)
        if part is Part.TRAIN or parts[claim] == {part}:
            yield Pair(claim, _near(claim, abstracts[name]), label, "scifact", "claim", part)


def perturbed(bench: Path, many: int = 1000) -> Iterator[Pair]:
    """Sentences of abstracts, as they stand or with one number, direction or negation changed (as FactCC does)."""
    chance = random.Random("perturbed")
    cited = {pair_id for row in _claims(bench) for pair_id in re.findall(r"\d+", row["cited_doc_ids"])}
    abstracts = {name: held for name, held in _abstracts(bench).items() if name not in cited}
    for name in chance.sample(sorted(abstracts), min(many, len(abstracts))):
        sentence = chance.choice(abstracts[name])
        evidence = _near(sentence, abstracts[name])
        lie = _twisted(sentence, chance)
        if lie is not None and 40 < len(sentence) < 300:
            yield Pair(sentence, evidence, "supported", "abstracts", "as it stands", part_of(name))
            yield Pair(lie, evidence, "contradicted", "abstracts", "twisted", part_of(name))


def medhallu(bench: Path) -> Iterator[Pair]:
    """The true and the hallucinated answer, each with the nearest sentences of the knowledge given."""
    for row in _rows(lzma.decompress((bench / "medhallu" / "medhallu_500.csv.xz").read_bytes())):
        known = [line for text in _items(row["Knowledge"]) for line in _split(text)]
        for column, label in (("Ground Truth", "supported"), ("Hallucinated Answer", REFUTED)):
            answer = " ".join(row[column].split())
            yield Pair(
                answer, _near(answer, known), label, "medhallu", row["Difficulty Level"], part_of(row["Question"])
            )


@dataclass(frozen=True, slots=True)
class Note:
    """A note's sentences, where its erroneous one is (None if it is correct), and that one corrected."""

    name: str
    sentences: tuple[str, ...]
    error: int | None
    corrected: str

    def evidence(self, place: int, sentence: str) -> str:
        """What a sentence at a place is judged by: the nearest of the other sentences."""
        return _near(sentence, [each for n, each in enumerate(self.sentences) if n != place])


def medec(bench: Path) -> Iterator[Note]:
    """The validation set of MEDEC-MS."""
    name = "MEDEC-MS-ValidationSet-with-GroundTruth-and-ErrorType.csv.xz"
    for row in _rows(lzma.decompress((bench / "medec" / name).read_bytes())):
        lines = [line.partition(" ")[2].strip() for line in row["Sentences"].splitlines() if line[:1].isdigit()]
        error = int(row["Error Sentence ID"]) if row["Error Flag"] == "1" else None
        if error is None or error < len(lines):
            yield Note(row["Text ID"], tuple(lines), error, " ".join(row["Corrected Sentence"].split()))


def medec_pairs(bench: Path) -> Iterator[Pair]:
    """Erroneous and corrected sentence by the rest of the note, and one sentence of each correct note."""
    for note in medec(bench):
        chance = random.Random(note.name)
        part = part_of(note.name)
        if note.error is not None:
            wrong = note.sentences[note.error]
            yield Pair(wrong, note.evidence(note.error, wrong), REFUTED, "medec", "error", part)
            right = note.corrected
            yield Pair(right, note.evidence(note.error, right), "supported", "medec", "corrected", part)
        else:
            place = chance.randrange(len(note.sentences))
            sentence = note.sentences[place]
            yield Pair(sentence, note.evidence(place, sentence), "supported", "medec", "other", part)


def _claims(bench: Path) -> list[dict[str, str]]:
    names = ("claims_train.csv", "claims_validation.csv", "claims_test.csv")
    return [row for name in names for row in _scifact(bench, name)]


def _scifact(bench: Path, name: str) -> list[dict[str, str]]:
    with tarfile.open(bench / "scifact" / "scifact_csv.tar.xz") as archive:
        member = next(each for each in archive.getmembers() if each.name.endswith(name))
        held = archive.extractfile(member)
        return _rows(held.read() if held else b"")


def _abstracts(bench: Path) -> dict[str, list[str]]:
    return {row["doc_id"]: _items(row["abstract"]) for row in _scifact(bench, "corpus_train.csv")}


def _rows(data: bytes) -> list[dict[str, str]]:
    csv.field_size_limit(10_000_000)
    return list(csv.DictReader(io.StringIO(data.decode("utf-8", errors="replace"))))


def _items(printed: str) -> list[str]:
    return [" ".join((one or other).split()) for one, other in _ITEM.findall(printed) if (one or other).strip()]


def _split(text: str) -> list[str]:
    return [each for each in re.split(r"(?<=[.?!])\s+(?=[A-Z])", text) if each]


def _near(sentence: str, lines: Sequence[str]) -> str:
    return " ".join(nearest(sentence, lines))


def _twisted(sentence: str, chance: random.Random) -> str | None:
    """One number, comparison or verb of it turned into another; None where there is nothing to turn."""
    found = [*_NUMBER.finditer(sentence), *_OPPOSITE.finditer(sentence)]
    if not found:
        return None
    match = chance.choice(found)
    new = _OPPOSITES.get(match.group()) or f"{float(match.group()) * chance.choice([0.5, 2, 10]):g}"
    return sentence[: match.start()] + new + sentence[match.end() :]
