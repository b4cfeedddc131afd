"""What `--json` shows of a statement."""

from client import forms
from longitude.reasoning.v1 import assessment_pb2 as wire


def test_a_statement_shows_its_verdict_how_sure_it_is_and_whether_the_verifier_abstained() -> None:
    said = wire.AssessedStatement(
        verdict=wire.VERDICT_UNSUPPORTED, probability=0.75, abstained=True, reason="citation: missing"
    )
    shown = forms.statement(said)
    assert (shown["verdict"], shown["probability"], shown["abstained"]) == ("unsupported", 0.75, True)
    assert (shown["released"], shown["reason"]) == (False, "citation: missing")
