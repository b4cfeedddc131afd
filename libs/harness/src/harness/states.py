"""The states of a consultation: they decide which actions exist."""

from enum import StrEnum


class State(StrEnum):
    GATHER = "gather"
    HYPOTHESISE = "hypothesise"
    CHECK = "check"
    DRAFT = "draft"
    VERIFY = "verify"
    SELECT = "select"
    AWAIT_REVIEW = "await_review"  # no agent acts any more: the physician does
    CLOSED = "closed"
