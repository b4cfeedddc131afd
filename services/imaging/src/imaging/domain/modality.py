"""What a kind of image must be able to do to be read by this service. Each kind is one folder of `imaging.modalities`.

A modality decides on values and does no I/O: `imaging.flows.studies` fetches, asks the network and stores for all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from longitude.imaging.v1.events_pb2 import Attribute, Finding, ModelVersion, StudyAnalysed
from longitude.ingestion.v1.events_pb2 import StudyReceived
from longitude.record.v1.fact_pb2 import ClinicalFact
from numpy.typing import NDArray

if TYPE_CHECKING:
    from imaging.domain.dicom import Picture

Tensors = Mapping[str, NDArray[Any]]
"""Of one image, by the names of the model's configuration, without the batch axis."""

Image = TypeVar("Image")
"""What a modality makes of a file: its own type, handed from `prepare` to `read`."""


class UnreadableImageError(Exception):
    """The instance cannot be read; the text is the problem that is published and holds nothing of the patient."""


class UnusableAnswerError(Exception):
    """The network's answer is not what the modality's model gives."""


@dataclass(frozen=True, slots=True)
class Network:
    """A model on Triton, and what is asked of it. A modality that needs several networks names their ensemble."""

    model: str
    outputs: tuple[str, ...]
    seconds: float
    """The longest that an answer may take."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one image shows. Findings beside problems are not published."""

    model: ModelVersion
    problems: Sequence[str] = ()
    attributes: Sequence[Attribute] = ()
    findings: Sequence[Finding] = ()
    drawings: Mapping[int, bytes] = field(default_factory=dict)
    """PNGs of the evidence, by the finding's place in `findings`."""


@dataclass(frozen=True, slots=True)
class Modality(Generic[Image]):
    """One kind of image: which instances it takes, and the way from their bytes to facts."""

    name: str
    """Of its folder."""
    network: Network
    accepts: Callable[[StudyReceived], bool]
    """Decided by what the event says, before anything is fetched."""
    prepare: Callable[[Picture], tuple[Image, Tensors]]
    """The image as the network takes it; UnreadableImageError says why it cannot be."""
    read: Callable[[Image, Tensors], Reading]
    """What the network's outputs mean; UnusableAnswerError if they mean nothing."""
    facts: Callable[[str, StudyAnalysed], Iterable[ClinicalFact]]
    """What the record learns from an analysis with this event id."""


def accepting(modalities: Sequence[Modality[Any]], study: StudyReceived) -> Modality[Any]:
    """The one that takes the instance; UnreadableImageError when none does, or more than one."""
    takers = [modality for modality in modalities if modality.accepts(study)]
    if len(takers) > 1:
        raise UnreadableImageError(f"several modalities take it: {', '.join(taker.name for taker in takers)}")
    if not takers:
        raise UnreadableImageError("no modality takes this kind of image")
    return takers[0]
