"""The way of an image of any modality: choose, fetch, decode, prepare, ask its network, read, keep its pictures.

Problems with the instance are part of the answer.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from contracts.errors import PermanentError
from contracts.topics import STUDY_ANALYSED
from eventbus import Event
from longitude.imaging.v1.events_pb2 import StudyAnalysed
from longitude.ingestion.v1.events_pb2 import StudyReceived
from longitude.record.v1.object_pb2 import ObjectRef
from servicekit.objects import ObjectStore

from imaging.adapters.postgres import Kind
from imaging.domain import study
from imaging.domain.modality import Modality, Reading, Tensors, UnreadableImageError, UnusableAnswerError, accepting
from imaging.flows.outside import TOO_LARGE, Answer, Outside


async def analyse(event: Event[StudyReceived], outside: Outside, modalities: Sequence[Modality[Any]]) -> Answer:
    """The answer for one instance."""
    try:
        modality = accepting(modalities, event.payload)
    except UnreadableImageError as error:
        return _answer(event, study.analysis_id(event.id, None), study.unreadable(event.payload, str(error)))
    return await _analyse(event, outside, modality)


async def _analyse(event: Event[StudyReceived], outside: Outside, modality: Modality[Any]) -> Answer:
    received = event.payload
    try:
        image, tensors = await _prepare(received, outside, modality)
    except UnreadableImageError as error:
        identifier = study.analysis_id(event.id, None)
        return _answer(event, identifier, study.unreadable(received, str(error), modality.name))
    reading = await _read(modality, image, await outside.networks.infer(modality.network, tensors))
    identifier = study.analysis_id(event.id, reading.model)
    pictures = {} if reading.problems else await _keep(identifier, reading, outside.objects)
    return _answer(event, identifier, study.analysed(identifier, received, modality, reading, pictures))


def _answer(event: Event[StudyReceived], identifier: str, analysis: StudyAnalysed) -> Answer:
    return Answer(STUDY_ANALYSED, identifier, analysis, Kind.STUDY, event.payload.sop_instance_uid)


async def _prepare(received: StudyReceived, outside: Outside, modality: Modality[Any]) -> tuple[Any, Tensors]:
    if received.instance.size > outside.largest:
        raise UnreadableImageError(TOO_LARGE)
    picture = await outside.converter.picture(await outside.objects.get(received.instance))
    return await asyncio.to_thread(modality.prepare, picture)


async def _read(modality: Modality[Any], image: object, outputs: Tensors) -> Reading:
    try:
        return await asyncio.to_thread(modality.read, image, outputs)
    except UnusableAnswerError as error:
        raise PermanentError("network-answer") from error


async def _keep(identifier: str, reading: Reading, objects: ObjectStore) -> dict[int, ObjectRef]:
    return {
        place: await objects.put(
            f"findings/{identifier}/{place + 1}-{reading.findings[place].name}.png", png, "image/png"
        )
        for place, png in reading.drawings.items()
    }
