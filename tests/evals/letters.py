"""`make eval EVAL=letters`: does a search of a patient's letters find the piece that answers?

The letters reach memory as any document does, over Kafka; when all pieces are in its index, each question is a
`SearchNotes` of the service. Beside, computed over the same pieces: by the cosine alone (all-MiniLM-L6-v2), as memory
searched before it had words, and by the weights of the words alone, as Qdrant weighs them. Figures: questions whose
piece is the first, or among the first three or five, over the letters and questions of `authored/letters.jsonl`;
`later` of `letters_later.jsonl`: another patient's, one of them in German, written when all but the constant of the
ranks was chosen; `spellings` of `letters_spellings.jsonl`: a third's, three in German, whose questions spell names and
umlauts as the letters do or otherwise, written by the author of that part of domain.words before it.
"""

import asyncio
import json
import math
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import grpc
import numpy as np
from contracts.identifiers import event_id, patient_partition_key
from contracts.topics import DOCUMENT_READ
from eventbus import Outgoing
from longitude.imaging.v1.events_pb2 import DocumentRead
from longitude.memory.v1 import memory_service_pb2 as pb
from longitude.memory.v1.memory_service_pb2_grpc import MemoryServiceStub
from longitude.record.v1.fact_pb2 import PatientKey
from memory.domain.chunks import cut
from memory.domain.words import asked, weighed
from testkit.calls import channel
from testkit.signing import publishing
from testkit.telling import until

from tests.benchmarks.stacks import fresh
from tests.evals.retrieval import embed
from tests.results import Result

_FILES = {"": "letters.jsonl", "later, ": "letters_later.jsonl", "spellings, ": "letters_spellings.jsonl"}
_PARTS = ("kafka", "postgres", "triton", "memory")
_FOLDER = Path(__file__).parent / "authored"
_AMONG = (1, 3, 5)
_INDEXED_WITHIN_S = 60.0
# Pieces of text, the best first.
Ranking = list[str]


class Authored(NamedTuple):
    """Letters (title, day, text), and questions with words of the piece that answers each."""

    letters: list[dict[str, str]]
    questions: list[tuple[str, str]]

    @property
    def pieces(self) -> list[str]:
        """As memory cuts them."""
        return [piece.text for letter in self.letters for piece in cut(letter["text"])]


def run(n: int | None, seed: int) -> Result:
    """All questions, or the first N of each patient; nothing is drawn."""
    figures: dict[str, dict[str, float]] = {}
    many = 0
    with fresh(_PARTS, ("embedder",)) as endpoints:
        for name, file in _FILES.items():
            authored = _authored(_FOLDER / file, n)
            many += len(authored.questions)
            ways = {"served": asyncio.run(_served(endpoints, authored)), **_computed(authored)}
            for way, rankings in ways.items():
                ranks = [_rank(holds, each) for (_, holds), each in zip(authored.questions, rankings, strict=True)]
                shares = {f"{name}first {most}": sum(rank <= most for rank in ranks) / len(ranks) for most in _AMONG}
                figures.setdefault(way, {}).update(shares)
    return Result("letters", figures.pop("served"), many, seed, figures)


async def _served(endpoints: Mapping[str, str], authored: Authored) -> list[Ranking]:
    """What memory answers to each question, when it has indexed the letters of a patient whom nobody knew."""
    patient = PatientKey(id="1", authority=uuid.uuid4().hex[:8].upper())
    async with publishing(endpoints["LONGITUDE_KAFKA"]) as publish:
        for number, letter in enumerate(authored.letters):
            await publish(_read(patient, number, letter))
    async with channel(endpoints["LONGITUDE_MEMORY"]) as opened:
        memory = MemoryServiceStub(opened)

        async def search(query: str) -> Any:
            return await memory.SearchNotes(pb.SearchNotesRequest(patient=patient, query=query, limit=100))

        async def indexed() -> bool:
            try:
                answer = await search("letter")
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.NOT_FOUND:
                    raise
                return False
            return len(answer.hits) == len(authored.pieces) and not answer.pending

        await until(indexed, _INDEXED_WITHIN_S)
        answers = [await search(question) for question, _ in authored.questions]
    return [[hit.text for hit in answer.hits] for answer in answers]


def _read(patient: PatientKey, number: int, letter: Mapping[str, str]) -> Outgoing:
    document = f"{patient.authority}-{number}"
    payload = DocumentRead(document_id=document, patient=patient, text=letter["text"], title=letter["title"])
    day = datetime.fromisoformat(f"{letter['day']}T00:00:00+00:00")
    payload.authored_at.FromDatetime(day)
    return Outgoing(DOCUMENT_READ, event_id("letters", document), patient_partition_key(patient), payload, day)


def _computed(authored: Authored) -> dict[str, list[Ranking]]:
    """Of each question, by its direction and by its words."""
    pieces = authored.pieces
    near = embed([question for question, _ in authored.questions]) @ embed(pieces).T
    meaning = [[pieces[place] for place in np.argsort(-cosines, kind="stable")] for cosines in near]
    return {"by meaning": meaning, "by words": [by_words(question, pieces) for question, _ in authored.questions]}


def by_words(question: str, pieces: Sequence[str]) -> Ranking:
    """By the weights of the words in common, each times how rare it is among the pieces, as Qdrant counts that."""
    weights = [weighed(piece) for piece in pieces]
    holding = Counter(word for each in weights for word in each)
    rarity = {word: math.log(1 + (len(pieces) - many + 0.5) / (many + 0.5)) for word, many in holding.items()}
    scores = [math.fsum(rarity[word] * each[word] for word in asked(question) if word in each) for each in weights]
    ranking = sorted(range(len(pieces)), key=lambda place: -scores[place])
    return [pieces[place] for place in ranking if scores[place] > 0]


def _rank(holds: str, ranking: Ranking) -> float:
    """The rank of the piece that answers; infinite where it was not found."""
    return next((rank for rank, piece in enumerate(ranking, 1) if holds in piece), math.inf)


def _authored(file: Path, most: int | None) -> Authored:
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    questions = [(row["question"], row["holds"]) for row in rows if "question" in row]
    return Authored([row for row in rows if "text" in row], questions[:most])
