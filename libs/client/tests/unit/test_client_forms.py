"""What `--json` shows of a statement."""

from client import forms
from longitude.reasoning.v1 import assessment_pb2 as wire


def test_a_statement_shows_its_verdict_why_and_whether_the_verifier_abstained() -> None:
    said = wire.AssessedStatement(verdict=wire.VERDICT_UNSUPPORTED, abstained=True, reason="citation: missing")
    shown = forms.statement(said)
    assert (shown["verdict"], shown["abstained"]) == ("unsupported", True)
    assert (shown["released"], shown["reason"]) == (False, "citation: missing")
