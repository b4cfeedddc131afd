"""Two different physicians, neither of whom imported it, before a passage speaks; one takes it back."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from contracts.errors import ConflictError, DeniedError, InvalidInputError
from longitude.record.v1.context_pb2 import Passage
from memory.domain.releases import (
    Decision,
    Edition,
    State,
    Who,
    check_approval,
    check_withdrawal,
    edition_id,
    is_approved,
)
from memory.flows.callers import importer, physician
from servicekit.principal import Person, Principal

AT = datetime(2026, 11, 28, tzinfo=UTC)
ANNA, BEN, CARL = (Who("https://issuer", name, name.title()) for name in ("anna", "ben", "carl"))
WAITING = Edition("p@1", Passage(passage_id="p"), "", "", "", CARL, AT)
BY_ANNA = Decision(ANNA, "", AT)


def principal(*roles: str) -> Principal:
    return Principal("spiffe://longitude/command", Person("https://issuer", "anna", "Dr Anna", frozenset(roles)))


def test_the_first_approval_is_not_enough_and_the_second_of_another_person_is() -> None:
    check_approval(WAITING, ANNA, "", conflicts=())
    once = replace(WAITING, approvals=(BY_ANNA,))
    check_approval(once, BEN, "", conflicts=())
    assert not is_approved(once)
    assert is_approved(replace(once, approvals=(BY_ANNA, Decision(BEN, "", AT))))


def test_who_imported_it_does_not_approve_it() -> None:
    with pytest.raises(DeniedError, match="imported"):
        check_approval(WAITING, CARL, "", conflicts=())


def test_nobody_approves_twice_under_another_name_either() -> None:
    once = replace(WAITING, approvals=(BY_ANNA,))
    with pytest.raises(ConflictError, match="approved it already"):
        check_approval(once, replace(ANNA, name="Somebody else"), "", conflicts=())
    assert not is_approved(replace(once, approvals=(BY_ANNA, Decision(replace(ANNA, name="X"), "", AT))))


def test_a_dose_in_conflict_needs_a_reason_of_each() -> None:
    with pytest.raises(InvalidInputError, match="say why"):
        check_approval(WAITING, ANNA, "  ", conflicts=["a conflict"])
    check_approval(WAITING, ANNA, "the limit is that of another formulation", conflicts=["a conflict"])


@pytest.mark.parametrize(
    ("edition", "state"),
    [
        (replace(WAITING, released_at=AT), State.RELEASED),
        (replace(WAITING, released_at=AT, superseded_at=AT), State.SUPERSEDED),
        (replace(WAITING, released_at=AT, withdrawal=BY_ANNA), State.WITHDRAWN),
        (replace(WAITING, withdrawal=BY_ANNA), State.WITHDRAWN),
    ],
)
def test_only_what_is_in_quarantine_is_approved(edition: Edition, state: State) -> None:
    assert edition.state is state
    with pytest.raises(ConflictError, match=state):
        check_approval(edition, BEN, "", conflicts=())


def test_a_withdrawal_has_a_reason_and_happens_once() -> None:
    check_withdrawal(WAITING, "wrong")
    with pytest.raises(InvalidInputError):
        check_withdrawal(WAITING, " ")
    with pytest.raises(ConflictError):
        check_withdrawal(replace(WAITING, withdrawal=BY_ANNA), "again")


def test_a_process_imports_nothing_and_releases_nothing() -> None:
    for asked in (importer, physician):
        with pytest.raises(DeniedError):
            asked(Principal("spiffe://longitude/reasoning"))


def test_only_a_physician_decides_and_anybody_who_is_known_imports() -> None:
    with pytest.raises(DeniedError):
        physician(principal("nurse", "engineer"))
    assert physician(principal("nurse", "physician")) == importer(principal("engineer")) == ANNA
    assert physician(principal("physician")).name == "Dr Anna"


def test_an_edition_is_one_text_of_one_publisher() -> None:
    text = Passage(passage_id="p", text="A")
    assert edition_id(text, "one") == edition_id(Passage(passage_id="p", text="A"), "one")
    others = {edition_id(text, ""), edition_id(text, "two"), edition_id(Passage(passage_id="p", text="B"), "one")}
    assert len(others | {edition_id(text, "one")}) == 4
