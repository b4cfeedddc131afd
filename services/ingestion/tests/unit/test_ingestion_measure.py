"""The measuring command counts what it is given."""

from pathlib import Path

import pytest
from ingestion.flows.measure import main

TAKEN = b"MSH|^~\\&|A|B|||20240101||ADT^A08|1|P|2.5\rPID|1||1\rAL1|1||^Latex\r"
PLAIN = b"MSH|^~\\&|A|B|||20240101||SIU^S12|2|P|2.5\rSCH|1\r"
REFUSED = b"MSH|^~\\&|A|B|||20240101||ADT^A99|3|P|2.5\r"


def test_messages_facts_and_refusals_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "two.hl7").write_bytes(b"BHS|^~\\&\r" + TAKEN + PLAIN + b"BTS|2\r")
    (tmp_path / "one.hl7").write_bytes(REFUSED)
    assert main([str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "messages                   3" in printed
    assert "refused  one.hl7: 201 at MSH^1^9^1^2" in printed
    assert "with clinical facts        1  (33 %)" in printed
