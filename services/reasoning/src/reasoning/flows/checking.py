"""A text of another system against the whole record, in one piece or bit by bit. Nothing is stored or published."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

from consult import Record
from contracts.errors import InvalidInputError
from grounding import Piece, Sources, TooManySentencesError
from longitude.reasoning.v1.reasoning_service_pb2 import CheckedSpan, CheckSummary
from longitude.record.v1.context_pb2 import Context, Passage
from longitude.record.v1.fact_pb2 import PatientKey

from reasoning.adapters.memory import Memory
from reasoning.domain.checking import MAX_NOTES_BYTES, Checking, quotations, unread


async def sources(patient: PatientKey, text: str, memory: Memory) -> Sources:
    """The whole record with the texts of its documents, and the passages that the text may quote."""
    (record, _), quoted = await asyncio.gather(_record(patient, memory), _quoted(quotations(text), memory))
    return replace(record, passages=tuple(each for passages in quoted.values() for each in passages)).sources()


class Check:
    """One text, while it is checked: the record is read once, at the beginning."""

    def __init__(self, checking: Checking, memory: Memory) -> None:
        self._checking = checking
        self._memory = memory

    @classmethod
    async def of(cls, patient: PatientKey, memory: Memory) -> "Check":
        """NotFoundError: unknown patient."""
        record, degraded = await _record(patient, memory)
        return cls(await asyncio.to_thread(Checking, lambda passages: record.sources((), passages), degraded), memory)

    async def whole(self, text: str) -> list[CheckedSpan]:
        """The spans of a text that is complete; InvalidInputError, before any is judged, if it has too many."""
        return await self._judged([*await self._cut(text), *await self._cut(None)])

    async def following(self, texts: AsyncIterator[str]) -> AsyncIterator[CheckedSpan]:
        """The spans of a text that comes bit by bit, each as soon as it is complete."""
        async for text in texts:
            for span in await self._judged(await self._cut(text)):
                yield span
        for span in await self._judged(await self._cut(None)):
            yield span

    def summary(self) -> CheckSummary:
        return self._checking.summary()

    async def _cut(self, text: str | None) -> list[Piece]:
        """The sentences that are complete with this; with None, those that are left."""
        try:
            if text is None:
                return await asyncio.to_thread(self._checking.end)
            return await asyncio.to_thread(self._checking.feed, text)
        except TooManySentencesError as error:
            raise InvalidInputError(str(error)) from error

    async def _judged(self, pieces: list[Piece]) -> list[CheckedSpan]:
        if not pieces:
            return []
        quoted = await _quoted(self._checking.wanted(pieces), self._memory)
        # A long text takes seconds of computing: other requests go on meanwhile.
        return await asyncio.to_thread(self._checking.spans, pieces, quoted)


async def _record(patient: PatientKey, memory: Memory) -> tuple[Record, list[str]]:
    """The whole record with the texts of its documents; what was not read."""
    timeline = await memory.timeline(patient)
    notes, are_all = await memory.texts(patient, MAX_NOTES_BYTES)
    record = Record(timeline, Context(), (), datetime.now(UTC), notes=notes)
    return record, unread(notes, are_all=are_all)


async def _quoted(wanted: tuple[str, ...], memory: Memory) -> dict[str, tuple[Passage, ...]]:
    passages = await asyncio.gather(*map(memory.quoted, wanted))
    return dict(zip(wanted, passages, strict=True))
