"""A feed's page and a trial's say how many and where; a value stands there only when it was asked for."""

import io
from datetime import UTC, datetime, timedelta

from client import trials
from client.cli import feed
from client.terminal import Screen
from client.trials import Trial
from hypothesis import given
from hypothesis import strategies as st
from longitude.auditing.v1.auditing_service_pb2 import FeedReport, NamedCount
from longitude.ingestion.v1.events_pb2 import MessageReceived, Payload, Remark
from longitude.ingestion.v1.ingestion_service_pb2 import Change, PlaceCount
from longitude.record.v1 import fact_pb2 as pb

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CHANGE = Change(
    facts_added=[PlaceCount(place="OBX-5", count=2)],
    remarks_removed=[Remark(segment="OBX[3]", field="OBX-3", reason="no code")],
    added=[pb.ClinicalFact(code=pb.CodedConcept(display="Creatinine"), quantity=pb.Quantity(value="8.14"))],
)


def page() -> tuple[Screen, io.StringIO]:
    out = io.StringIO()
    return Screen(file=out, width=160), out


def report(silent: timedelta) -> FeedReport:
    made = FeedReport(
        facility="NORTH",
        messages=8,
        acknowledgements=[NamedCount(name="AA", count=7), NamedCount(name="AE", count=1)],
        with_facts=6,
        with_clinical_facts=4,
        remarks=[NamedCount(name="OBX-5: no value", count=3)],
        rejected=[NamedCount(name="101", count=1)],
    )
    made.last_received_at.FromDatetime(NOW - silent)
    return made


def test_a_feeds_line_has_answers_shares_refusals_and_silence() -> None:
    console, out = page()
    feed.show(console, [report(timedelta(hours=5))], NOW)
    line = next(line for line in out.getvalue().splitlines() if "NORTH" in line)
    for part in ("8", "AA 7 AE 1", "75 %", "50 %", "101 1", "5 h"):
        assert part in line
    assert "OBX-5: no value" in out.getvalue()


def test_a_feeds_form_names_each_count() -> None:
    form = feed.form_of(report(timedelta()))
    assert form["acknowledgements"] == {"AA": 7, "AE": 1}
    assert form["remarks"] == {"OBX-5: no value": 3}
    assert form["rejected"] == {"101": 1}
    assert form["last_received_at"] == "2026-03-01T12:00:00Z"


def test_a_trial_shows_places_and_only_on_demand_values() -> None:
    trial = Trial(messages=5)
    trial.add("M1", CHANGE)
    for facts in (False, True):
        console, out = page()
        feed.show_trial(console, trial, facts=facts)
        assert "1 of 5 messages" in out.getvalue()
        assert "OBX-5" in out.getvalue()
        assert "OBX-3: no code" in out.getvalue()
        assert ("8.14" in out.getvalue()) == facts
        assert ("8.14" in str(feed.trial_form(trial, facts=facts))) == facts


@given(st.lists(st.integers(1, 3 * 1024 * 1024), max_size=12))
def test_batches_keep_order_and_bounds_and_lose_nothing(sizes: list[int]) -> None:
    events = [MessageReceived(raw=Payload(inline=bytes(size))) for size in sizes]
    parts = list(trials.batches(events))
    assert [event for part in parts for event in part] == events
    for part in parts:
        assert len(part) == 1 or sum(len(event.raw.inline) for event in part) <= trials.MOST_BYTES
