"""The table of what opens, row by row, and what may be asked for beyond it."""

from datetime import UTC, datetime, timedelta

import pytest
from contracts.errors import DeniedError, InvalidInputError
from longitude.record.v1 import fact_pb2 as cf
from memory.domain import opening, sensitive
from memory.domain.opening import BREAK_GLASS, TREAT, Opened, Wanted
from terminology.concepts import ICD10CM, LOINC

REASON = "she asked me about her therapy"
EVERYTHING = ["MH", "HIV", "SUD", "GDIS", "SEX"]
# What opens to each role, by purpose: without an opening, declared for treatment, with a broken glass.
OPENS: dict[str, dict[str, list[str]]] = {
    "physician": {"none": [], TREAT: EVERYTHING, BREAK_GLASS: EVERYTHING},
    "nurse": {"none": [], TREAT: ["MH", "HIV", "SUD", "SEX"], BREAK_GLASS: EVERYTHING},
    "auditor": {"none": [], TREAT: [], BREAK_GLASS: []},
    "engineer": {"none": [], TREAT: [], BREAK_GLASS: []},
    "researcher": {"none": [], TREAT: [], BREAK_GLASS: []},
    "developer": {"none": EVERYTHING, TREAT: EVERYTHING, BREAK_GLASS: EVERYTHING},
}


def opened(purpose: str, opens: int = sensitive.ALL) -> Opened:
    return Opened("o-1", purpose, opens, datetime.now(UTC) + timedelta(hours=1))


@pytest.mark.parametrize("role", OPENS)
def test_what_is_sensitive_opens_to_each_role_as_its_rows_say(role: str) -> None:
    of_role = OPENS[role]
    assert sensitive.names(sensitive.ALL & ~opening.closed([role], [])) == of_role["none"]
    for purpose in (TREAT, BREAK_GLASS):
        open_now = sensitive.ALL & ~opening.closed([role], [opened(purpose)])
        assert sensitive.names(open_now) == of_role[purpose]


def test_only_the_process_that_looks_for_dangers_reads_what_is_sensitive_by_itself() -> None:
    assert opening.closed_to_process("reasoning") == 0
    assert opening.closed_to_process("imaging") == opening.closed_to_process("") == sensitive.ALL
    # No person is one by a role of this name.
    assert opening.closed(["reasoning"], []) == sensitive.ALL


def test_who_has_several_roles_sees_what_each_of_them_does() -> None:
    assert opening.closed(["auditor", "physician"], [opened(TREAT)]) == 0


def test_an_opening_opens_what_it_names_and_nothing_else() -> None:
    closed = opening.closed(["physician"], [opened(TREAT, sensitive.bits(["HIV"]))])
    assert sensitive.names(closed) == ["MH", "SUD", "GDIS", "SEX"]


def test_what_is_asked_for_is_granted_within_the_bounds_of_the_table() -> None:
    given = opening.grant(["physician"], Wanted(TREAT, ["MH"], REASON, 0))
    assert (given.opens, given.lasts, given.review) == (sensitive.bits(["MH"]), timedelta(hours=1), False)
    assert opening.grant(["physician"], Wanted(TREAT, [], REASON, 720)).opens == sensitive.ALL
    broken = opening.grant(["nurse"], Wanted(BREAK_GLASS, [], REASON, 0))
    assert (broken.opens, broken.lasts, broken.review) == (sensitive.ALL, timedelta(hours=1), True)


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        (Wanted(TREAT, [], "", 0), "reason"),
        (Wanted(TREAT, [], " " * 20, 0), "reason"),
        (Wanted(TREAT, [], "x" * 501, 0), "reason"),
        (Wanted("HMARKT", [], REASON, 0), "purpose"),
        (Wanted(TREAT, ["SECRET"], REASON, 0), "categories"),
        (Wanted(TREAT, [], REASON, 721), "720 minutes"),
        (Wanted(BREAK_GLASS, [], REASON, 61), "60 minutes"),
    ],
)
def test_what_cannot_be_opened_says_why(wanted: Wanted, says: str) -> None:
    with pytest.raises(InvalidInputError, match=says):
        opening.grant(["physician"], wanted)


def test_what_does_not_open_to_a_role_is_denied() -> None:
    with pytest.raises(DeniedError, match="GDIS"):
        opening.grant(["nurse"], Wanted(TREAT, ["MH", "GDIS"], REASON, 0))
    for role in ("auditor", "engineer", "researcher"):
        with pytest.raises(DeniedError, match=role):
            opening.grant([role], Wanted(BREAK_GLASS, [], REASON, 0))


def test_a_broken_glass_has_a_banner_and_nothing_else_has() -> None:
    assert "BREAK-GLASS until" in opening.banner([opened(BREAK_GLASS)])
    assert opening.banner([opened(TREAT)]) == opening.banner([]) == ""


def test_a_fact_has_the_labels_of_its_kind_and_code() -> None:
    coded = cf.CodedConcept(system=ICD10CM, code="F32.9")
    assert sensitive.names(sensitive.labels(cf.ClinicalFact(kind=cf.FACT_KIND_PROBLEM, code=coded))) == ["MH"]
    tested = cf.CodedConcept(system=LOINC, code="56888-1")
    assert sensitive.names(sensitive.labels(cf.ClinicalFact(kind=cf.FACT_KIND_RESULT, code=tested))) == ["HIV"]
    as_sent = cf.ClinicalFact(kind=cf.FACT_KIND_PROBLEM, code=cf.CodedConcept(display="n"), source_code=coded)
    assert sensitive.names(sensitive.labels(as_sent)) == ["MH"]
