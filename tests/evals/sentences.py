"""`make eval EVAL=sentences [SENTENCES=folder]`: sentences whose truth is known, by the verdict of the verifier.

The folder has `sentences.jsonl`, an object a line: `patient` (ID@AUTHORITY), `sentence`, `truth`, `kind`. They are
checked over the record of the running stack, which must know the patients: each alone, and all of a patient in one
document, a sentence a paragraph. Without a folder: the authored set about the demo's patient, over the record that the
services' domains make of the demo's messages in this process (its film and its scanned page left out).

Figures: shares of the true and of the false sentences by verdict, alone and in a document; `false_passed` are the false
ones that came out supported or asserting nothing. By kind: true supported, false passed. `refused`: true sentences that
are not supported, by the check that refused them; the most frequent reasons stand below the table.
"""

import asyncio
import json
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from client import stack
from client.api import ReasoningClient
from contracts.identifiers import parse_patient
from grounding import Verdict, Verifier, judge
from longitude.reasoning.v1 import assessment_pb2 as wire

from tests.evals.chain import whole_record
from tests.results import ROOT, Result

AUTHORED = Path(__file__).parent / "authored"
_STORY = ROOT / "deploy" / "demo" / "story"
# The day after the last message of the story.
_TODAY = date(2026, 10, 7)
# A page that was scanned: no text without the network that reads it.
_SCANNED = b"PNG"
_LONGEST, _MOST = 90_000, 900
_AT_THE_SAME_TIME = 2
_REASONS = 8
NO_CLAIM = "no_claim"
# The worst first: a sentence's verdict is that of its worst span.
VERDICTS = ("contradicted", "unsupported", "supported", NO_CLAIM)


@dataclass(frozen=True, slots=True)
class Sentence:
    patient: str
    text: str
    truth: bool
    kind: str


@dataclass(frozen=True, slots=True)
class Found:
    """Characters [start, end) of a text, with their verdict and why."""

    start: int
    end: int
    verdict: str
    reason: str


@dataclass(frozen=True, slots=True)
class Judged:
    """A sentence with the worst verdict of its spans, and that one's reason."""

    sentence: Sentence
    verdict: str
    reason: str

    @property
    def check(self) -> str:
        return self.reason.partition(":")[0]


# The spans of texts, each of a patient.
Checks = Callable[[Sequence[tuple[str, str]]], list[list[Found]]]


def run(n: int | None, seed: int) -> Result:
    """The first N sentences, or all."""
    folder = os.environ.get("SENTENCES")
    sentences = read(Path(folder) if folder else AUTHORED)[:n]
    checks = over_the_stack if folder else in_process
    modes = {"alone": alone(sentences, checks), "document": in_documents(sentences, checks)}
    figures: dict[str, float] = {}
    for mode, judged in modes.items():
        figures |= {f"{name}, {mode}": value for name, value in shares(judged).items()}
    for mode, judged in modes.items():
        figures |= {f"{name}, {mode}": value for name, value in (by_kind(judged) | by_check(judged)).items()}
    return Result("sentences", figures, len(sentences), seed, note=reasons(modes["alone"]))


def read(folder: Path) -> list[Sentence]:
    lines = (folder / "sentences.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines if line.strip()]
    return [Sentence(row["patient"], row["sentence"], row["truth"], row["kind"]) for row in rows]


def alone(sentences: Sequence[Sentence], checks: Checks) -> list[Judged]:
    found = checks([(each.patient, each.text + "\n") for each in sentences])
    return [judged(each, spans, 0) for each, spans in zip(sentences, found, strict=True)]


def in_documents(sentences: Sequence[Sentence], checks: Checks) -> list[Judged]:
    """All of a patient in one text, or in as few as its bounds allow."""
    documents = list(_documents(sentences))
    texts = ["".join(f"{each.text}\n\n" for each in document) for document in documents]
    found = checks([(document[0].patient, text) for document, text in zip(documents, texts, strict=True)])
    told: list[Judged] = []
    for document, spans in zip(documents, found, strict=True):
        start = 0
        for each in document:
            told.append(judged(each, spans, start))
            start += len(each.text) + 2
    return told


def judged(sentence: Sentence, spans: Iterable[Found], start: int) -> Judged:
    """The sentence that begins at `start` of a text with these spans."""
    end = start + len(sentence.text)
    own = [span for span in spans if span.start < end and span.end > start]
    worst = min(own, key=lambda span: VERDICTS.index(span.verdict), default=Found(start, end, NO_CLAIM, ""))
    return Judged(sentence, worst.verdict, worst.reason)


def shares(sentences: Sequence[Judged]) -> dict[str, float]:
    """By truth and verdict: `true_supported`, `false_passed` ..."""
    counts = Counter((each.sentence.truth, each.verdict) for each in sentences)
    totals = Counter(each.sentence.truth for each in sentences)
    found = {
        f"{str(truth).lower()}_{verdict}": counts[truth, verdict] / max(totals[truth], 1)
        for truth in (True, False)
        for verdict in VERDICTS
    }
    return found | {"false_passed": found["false_supported"] + found["false_no_claim"]}


def by_kind(sentences: Iterable[Judged]) -> dict[str, float]:
    groups: dict[tuple[bool, str], list[Judged]] = defaultdict(list)
    for each in sentences:
        groups[each.sentence.truth, each.sentence.kind].append(each)
    name = {True: "true_supported", False: "false_passed"}
    return {f"{name[truth]} {kind}": shares(groups[truth, kind])[name[truth]] for truth, kind in sorted(groups)}


def by_check(sentences: Iterable[Judged]) -> dict[str, float]:
    """How many true sentences each check refused."""
    return {
        f"refused {check}": float(count) for check, count in Counter(each.check for each in refused(sentences)).items()
    }


def refused(sentences: Iterable[Judged]) -> list[Judged]:
    return [each for each in sentences if each.sentence.truth and each.verdict in ("contradicted", "unsupported")]


def reasons(sentences: Iterable[Judged]) -> str:
    counts = Counter(f"{each.verdict}: {each.reason}" for each in refused(sentences))
    return "; ".join(f"{reason} ({count})" for reason, count in counts.most_common(_REASONS))


def in_process(texts: Sequence[tuple[str, str]]) -> list[list[Found]]:
    """Over the demo's record, whose patient all texts are about."""
    return [
        [Found(span.start, span.end, _name(span.verdict), span.reason) for span in judge(text, _demo())]
        for _, text in texts
    ]


def over_the_stack(texts: Sequence[tuple[str, str]]) -> list[list[Found]]:
    return asyncio.run(_asked(texts))


async def _asked(texts: Sequence[tuple[str, str]]) -> list[list[Found]]:
    room = asyncio.Semaphore(_AT_THE_SAME_TIME)
    async with ReasoningClient.connect(stack.find().endpoint("reasoning")) as reasoning:

        async def one(patient: str, text: str) -> list[Found]:
            async with room:
                checked = await reasoning.check(parse_patient(patient), text)
            names = wire.Verdict.Name
            return [
                Found(each.start, each.end, names(each.verdict).removeprefix("VERDICT_").lower(), each.reason)
                for each in checked.spans
            ]

        return await asyncio.gather(*(one(patient, text) for patient, text in texts))


@cache
def _demo() -> Verifier:
    files = (file.read_bytes() for file in sorted(_STORY.glob("*.hl7")))
    record = whole_record([message for message in files if _SCANNED not in message], _TODAY)
    return Verifier(record.sources())


def _documents(sentences: Iterable[Sentence]) -> Iterator[list[Sentence]]:
    groups: dict[str, list[Sentence]] = defaultdict(list)
    for each in sentences:
        groups[each.patient].append(each)
    for members in groups.values():
        part: list[Sentence] = []
        for each in members:
            if part and (sum(len(one.text) + 2 for one in part) + len(each.text) > _LONGEST or len(part) >= _MOST):
                yield part
                part = []
            part.append(each)
        yield part


def _name(verdict: Verdict | None) -> str:
    return verdict.name.lower() if verdict else NO_CLAIM
