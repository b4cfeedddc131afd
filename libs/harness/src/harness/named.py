"""The source that a handle stands for in a view; ActionRefusedError where it stands for none, or for another sort."""

from typing import Any

from longitude.record.v1.context_pb2 import Passage
from longitude.record.v1.fact_pb2 import ClinicalFact, FactKind

from harness.actions import ActionRefusedError
from harness.view import View


def fact(handle: str, view: View, *kinds: "FactKind.ValueType") -> ClinicalFact:
    found = view.sources.get(handle, view.shown)
    if not isinstance(found, ClinicalFact):
        raise ActionRefusedError("no such fact")
    if kinds and found.kind not in kinds:
        raise ActionRefusedError("a fact of another kind")
    return found


def passage(handle: str, view: View) -> Passage:
    found = view.sources.get(handle, view.shown)
    if not isinstance(found, Passage):
        raise ActionRefusedError("no such passage")
    return found


def newest(handle: str, view: View) -> ClinicalFact:
    """A result that is the newest of its code."""
    found = fact(handle, view, FactKind.FACT_KIND_RESULT)
    if view.sources.results(found.code)[-1].fact_id != found.fact_id:
        raise ActionRefusedError("not the newest result of its code")
    return found


def source(handle: str, sort: type[Any], view: View) -> Any:
    """A source of one sort."""
    found = view.sources.get(handle, view.shown)
    if not isinstance(found, sort):
        raise ActionRefusedError(f"no such {sort.__name__}")
    return found
