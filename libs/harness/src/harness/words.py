"""The first word of an action as the model writes it: a kind of statement, or an act."""

from collections.abc import Mapping
from enum import StrEnum

from grounding.kinds import KINDS
from longitude.reasoning.v1 import assessment_pb2 as wire


class Act(StrEnum):
    """What an agent does beside saying a typed statement."""

    PROPOSE = "propose"
    LOOK = "look"
    ASK_PHYSICIAN = "ask_physician"
    WRITE = "write"
    ASK = "ask"
    DOUBT = "doubt"
    SHOW = "show"
    THINK = "think"
    FINISH = "finish"


# What each word puts into the assessment; words that are not here put nothing.
PUTS: Mapping[str, "wire.StatementKind.ValueType"] = {
    **{word: kind.proto for word, kind in KINDS.items()},
    Act.PROPOSE: wire.STATEMENT_KIND_PROPOSAL,
    Act.ASK_PHYSICIAN: wire.STATEMENT_KIND_QUESTION,
    Act.WRITE: wire.STATEMENT_KIND_PROSE,
}
# How an agent is told to write it.
HINTS: Mapping[str, str] = {
    **{word: kind.hint for word, kind in KINDS.items()},
    Act.PROPOSE: "propose review F E",
    Act.LOOK: "look up F",
    Act.ASK_PHYSICIAN: "ask_physician F",
    Act.WRITE: "write",
    Act.ASK: "ask role",
    Act.DOUBT: "doubt S",
    Act.SHOW: "show line",
    Act.THINK: "think",
    Act.FINISH: "finish",
}
