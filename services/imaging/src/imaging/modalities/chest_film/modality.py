"""The chest film as a modality: CR and DX of the chest, read by the network `chest_film`."""

from longitude.ingestion.v1.events_pb2 import StudyReceived

from imaging.domain.modality import Modality, Network
from imaging.domain.study import finding_facts
from imaging.modalities.chest_film.film import CHEST, RADIOGRAPHY
from imaging.modalities.chest_film.prepare import prepare
from imaging.modalities.chest_film.read import read


def accepts(study: StudyReceived) -> bool:
    """A study whose event leaves a tag out is looked at: the file decides."""
    return study.modality in {"", *RADIOGRAPHY} and study.body_part.strip().upper() in CHEST


MODALITY = Modality(
    name="chest_film",
    network=Network(
        model="chest_film",
        outputs=("PROBABILITIES", "PROJECTION", "PRESENTATION", "ACTIVATION_MAPS", "CARD"),
        seconds=30.0,
    ),
    accepts=accepts,
    prepare=prepare,
    read=read,
    facts=finding_facts,
)
