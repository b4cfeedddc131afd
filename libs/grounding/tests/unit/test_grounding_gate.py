"""What the gate lets out."""

import pytest
from grounding import Verdict, decide
from grounding.claims import Claim
from grounding.verify import Verified
from longitude.reasoning.v1 import assessment_pb2 as wire

KINDS = [kind for kind in wire.StatementKind.values() if kind != wire.STATEMENT_KIND_UNSPECIFIED]


def verified(verdict: Verdict) -> Verified:
    return Verified((Claim(0, 1, "value", verdict, "because"),), verdict)


@pytest.mark.parametrize("kind", KINDS, ids=wire.StatementKind.Name)
def test_contradicted_is_never_released(kind: "wire.StatementKind.ValueType") -> None:
    release = decide(kind, verified(Verdict.CONTRADICTED))
    assert (release.released, release.reason) == (False, "value: because")


@pytest.mark.parametrize("kind", KINDS, ids=wire.StatementKind.Name)
def test_supported_is_released_without_a_reason(kind: "wire.StatementKind.ValueType") -> None:
    release = decide(kind, verified(Verdict.SUPPORTED))
    assert (release.released, release.reason) == (True, "")


@pytest.mark.parametrize("kind", KINDS, ids=wire.StatementKind.Name)
def test_unsupported_is_withheld_but_a_question_is_put_with_its_mark(kind: "wire.StatementKind.ValueType") -> None:
    release = decide(kind, verified(Verdict.UNSUPPORTED))
    assert release.released is (kind == wire.STATEMENT_KIND_QUESTION)
    assert release.verdict is Verdict.UNSUPPORTED
    assert release.reason


def test_a_text_without_any_claim_supports_nothing() -> None:
    release = decide(wire.STATEMENT_KIND_PROSE, Verified((), Verdict.UNSUPPORTED))
    assert (release.released, release.reason) == (False, "nothing in it can be checked")
