from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from grounding.kind import Choice, Concept
from grounding.kinds import KINDS
from harness import actions
from harness.actions import (
    ActionRefusedError,
    AskPhysician,
    Call,
    Finish,
    HandOver,
    ProposalKind,
    Propose,
    QuestionPurpose,
    Say,
    Write,
)
from harness.flows import FIRST_VISIT, FOLLOW_UP
from harness.guard import decide, key
from harness.inputs import sources_of
from harness.menu import menu
from harness.roles import (
    COORDINATOR,
    DIAGNOSTICIAN,
    HISTORIAN,
    IMAGING_LIAISON,
    PHARMACIST,
    ROLES,
    VERIFIER,
    Budget,
    Role,
)
from harness.states import State
from harness.tools import TOOLS
from harness.view import View
from harness.words import Act
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.record.v1.context_pb2 import Context

# F1 diabetes, F2-F4 creatinine, F5 potassium, F6 metformin, F7 ibuprofen, F8 penicillin, F9 cardiomegaly, F10 letter
AT = {
    "coordinator": (COORDINATOR, State.GATHER),
    "historian": (HISTORIAN, State.GATHER),
    "diagnostician": (DIAGNOSTICIAN, State.HYPOTHESISE),
    "drafting": (DIAGNOSTICIAN, State.DRAFT),
    "pharmacist": (PHARMACIST, State.CHECK),
    "imaging": (IMAGING_LIAISON, State.CHECK),
    "verifier": (VERIFIER, State.VERIFY),
}


@pytest.fixture
def view(story: Any) -> Callable[[str], View]:
    def at(place: str) -> View:
        role, state = AT[place]
        sources = sources_of(story.inputs, FOLLOW_UP)
        team = ("historian", "pharmacist")
        tools = frozenset(story.inputs.tools)
        return View(role, state, sources, len(sources.lines), frozenset(), 2, tools, 1, team)

    return at


IBUPROFEN = Concept("urn:test", "ibuprofen", "ibuprofen")
CREATININE = Concept("urn:test", "creatinine", "creatinine")
ASKED = (wire.STATEMENT_KIND_ALLERGY,)
PAST = (wire.STATEMENT_KIND_PROBLEM, wire.STATEMENT_KIND_CHANGE)
NEWS = (wire.STATEMENT_KIND_CHANGE,)
COURSE = (wire.STATEMENT_KIND_TREND, wire.STATEMENT_KIND_CHANGE)
COMPUTED = (wire.STATEMENT_KIND_CALCULATION,)
LIMITED = (wire.STATEMENT_KIND_CALCULATION, wire.STATEMENT_KIND_PROPOSAL)


@pytest.mark.parametrize(
    ("place", "text", "action"),
    [
        ("diagnostician", "latest F4", Say(Choice("latest", ("fact-4",)))),
        ("diagnostician", "trend F4", Say(Choice("trend", ("fact-2", "fact-3", "fact-4"), concept=CREATININE))),
        ("diagnostician", "change F4", Say(Choice("change", ("fact-3", "fact-4"), concept=CREATININE))),
        (
            "historian",
            "change F7",
            Say(Choice("change", ("fact-7",), concept=IBUPROFEN)),
        ),
        ("historian", "problem F1", Say(Choice("problem", ("fact-1",)))),
        ("historian", "absence N1", Say(Choice("absence", concept=Concept("urn:test", "albumin", "urine albumin")))),
        ("pharmacist", "look search_memory F8 for reaction", Call("search_memory", "fact-8", "reaction", ASKED)),
        ("historian", "look search_memory F1 for history", Call("search_memory", "fact-1", "history", PAST)),
        ("historian", "look read_document F10 for history", Call("read_document", "fact-10", "history", PAST)),
        ("historian", "look compare_with_last_visit for change", Call("compare_with_last_visit", "", "change", NEWS)),
        ("diagnostician", "look read_timeline F4 for trend", Call("read_timeline", "fact-4", "trend", COURSE)),
        ("diagnostician", "look calculate F4 for function", Call("calculate", "fact-4", "function", COMPUTED)),
        ("pharmacist", "look calculate F6 for dose", Call("calculate", "fact-6", "dose", LIMITED)),
        ("pharmacist", "ask_physician F8 for reaction", AskPhysician("fact-8", QuestionPurpose.REACTION)),
        ("historian", "ask_physician F1 for source", AskPhysician("fact-1", QuestionPurpose.SOURCE)),
        ("pharmacist", "medication F6", Say(Choice("medication", ("fact-6",)))),
        ("pharmacist", "allergy F8", Say(Choice("allergy", ("fact-8",)))),
        ("pharmacist", "evidence E1", Say(Choice("evidence", passage_id="passage-1"))),
        ("imaging", "imaging F9", Say(Choice("imaging", ("fact-9",)))),
        ("drafting", "propose review F6 E1", Propose(ProposalKind.REVIEW_MEDICATION, ("fact-6",), ("passage-1",))),
        ("drafting", "propose repeat F5", Propose(ProposalKind.REPEAT_RESULT, ("fact-5",), ())),
        ("drafting", "propose clarify F8", Propose(ProposalKind.CLARIFY_ALLERGY, ("fact-8",), ())),
        ("coordinator", "ask pharmacist", HandOver("pharmacist")),
        ("verifier", "doubt S2", actions.Doubt(2)),
        ("verifier", "finish", Finish()),
    ],
)
def test_an_allowed_action_names_exactly_its_sources(
    view: Callable[[str], View], place: str, text: str, action: actions.Action | None
) -> None:
    found = decide(text, view(place))
    assert action is None or found == action
    assert text in menu(view(place))


@pytest.mark.parametrize(
    ("place", "text"),
    [
        # not in the language at all: nothing orders, stops or releases
        ("drafting", "order F7"),
        ("drafting", "stop F6"),
        ("drafting", "propose stop F6"),
        ("drafting", "propose order F6 E1"),
        ("drafting", "release S1"),
        ("drafting", "sign"),
        # another spelling than the canonical one
        ("drafting", "Latest F4"),
        ("drafting", "latest  F4"),
        ("drafting", "latest F4 "),
        ("drafting", " latest F4"),
        ("drafting", "latest F4\nlatest F5"),
        ("drafting", "latest F04"),
        ("drafting", "latest Ｆ4"),
        ("drafting", "finish now"),
        ("drafting", ""),
        # another role's, or another state's
        ("imaging", "medication F6"),
        ("diagnostician", "propose review F6"),
        ("verifier", "latest F4"),
        ("coordinator", "trend F4"),
        ("drafting", "ask pharmacist"),
        # other sources than the action is about
        ("drafting", "latest F1"),
        ("drafting", "latest F3"),
        ("drafting", "latest F99"),
        ("drafting", "latest E1"),
        ("drafting", "latest K1"),
        ("diagnostician", "trend F5"),
        ("diagnostician", "trend F3"),
        ("diagnostician", "change F5"),
        ("historian", "change F1"),
        ("historian", "change F9 F9"),
        ("pharmacist", "medication F8"),
        ("pharmacist", "evidence F6"),
        ("pharmacist", "evidence E3"),
        ("drafting", "propose review F8"),
        ("drafting", "propose review F6 F7"),
        ("drafting", "propose review F6 E1 E2"),
        ("drafting", "propose repeat F5 E1"),
        ("drafting", "propose repeat F2"),
        ("historian", "absence F1"),
        ("diagnostician", "calculate N1"),
        # calls that are not this role's, about the wrong thing, or for no purpose
        ("historian", "look search_evidence F1 for dose"),
        ("pharmacist", "look search_evidence F6 for fun"),
        ("pharmacist", "look search_evidence F8 for dose"),
        ("pharmacist", "look search_evidence F6"),
        ("pharmacist", "look delete_record F6 for dose"),
        ("pharmacist", "look search_memory F6 for reaction"),
        ("pharmacist", "look calculate F6 for function"),
        ("historian", "look compare_with_last_visit F1 for change"),
        ("historian", "look search_memory for history"),
        # calls that could change nothing
        ("diagnostician", "look read_timeline F5 for trend"),
        ("diagnostician", "look calculate F5 for function"),
        ("imaging", "look read_image_findings F9 for comparison"),
        ("historian", "look search_memory F8 for reaction"),
        # questions about another kind of fact, for no purpose, or in another spelling
        ("pharmacist", "ask_physician F5 for confirmation"),
        ("pharmacist", "ask_physician F8 for approval"),
        ("pharmacist", "ask_physician F8 for adherence"),
        ("pharmacist", "ask_physician F8"),
        ("drafting", "ask physician F8 for reaction"),
        # free text that the policy does not allow
        ("drafting", "write"),
        ("drafting", "write F4"),
        ("coordinator", "ask coordinator"),
        ("coordinator", "ask imaging_liaison"),
        ("verifier", "doubt S3"),
        ("verifier", "doubt S0"),
        ("verifier", "doubt 1"),
    ],
)
def test_everything_else_is_refused(view: Callable[[str], View], place: str, text: str) -> None:
    with pytest.raises(ActionRefusedError):
        decide(text, view(place))
    assert text not in menu(view(place))


@pytest.mark.parametrize("state", [State.AWAIT_REVIEW, State.CLOSED])
@pytest.mark.parametrize("role", [COORDINATOR, DIAGNOSTICIAN, PHARMACIST, VERIFIER])
def test_nothing_can_be_done_while_the_physician_decides(view: Callable[[str], View], role: Role, state: State) -> None:
    waiting = replace(view("drafting"), role=role, state=state)
    assert menu(waiting) == ("finish",)
    with pytest.raises(ActionRefusedError):
        decide("finish", waiting)


def test_what_was_done_is_not_offered_again_in_other_words(view: Callable[[str], View]) -> None:
    done = frozenset({key("propose review F6 E1"), key("latest F4")})
    again = replace(view("drafting"), done=done)
    assert not {"latest F4", "propose review F6", "propose review F6 E2"} & set(menu(again))


def calls(view: View) -> set[str]:
    return {text for text in menu(view) if text.startswith("look")}


def test_a_call_is_needed_only_while_it_can_bring_something_new(story: Any, view: Callable[[str], View]) -> None:
    asked = view("diagnostician")
    offered = calls(asked)
    calculated = {"look calculate F4 for function", "look calculate F6 for dose"}
    assert offered == calculated | {"look read_timeline F4 for trend", "look compare_with_last_visit for change"}
    for calculation in story.inputs.calculations:
        asked.sources.add_calculation(calculation)
    found = Context()
    for name in ("an older one", "a new one"):
        found.facts.add().fact.fact_id = name
        found.lines.add(text=name, fact_id=name)
    asked.sources.add_context(found)
    assert calls(asked) == set()
    for text in offered:
        with pytest.raises(ActionRefusedError, match="could change nothing"):
            decide(text, asked)


def saying(words: dict[State, frozenset[str]]) -> Role:
    """A role with all tools that may say these words alone."""
    role = Role("late", "", {}, Budget(9, 99, 9))
    object.__setattr__(role, "words", words)
    object.__setattr__(role, "tools", frozenset(TOOLS))
    return role


def test_every_kind_and_tool_names_roles_and_states_that_exist() -> None:
    for kind in KINDS.values():
        assert kind.roles
        assert all(set(states) <= ROLES[role].acts.keys() for role, states in kind.roles.items())
    assert all(tool.roles and tool.roles <= ROLES.keys() for tool in TOOLS.values())


def test_a_call_is_needed_only_while_its_role_can_still_say_something_by_it(view: Callable[[str], View]) -> None:
    late = saying({State.CHECK: frozenset({Act.LOOK, "latest"})})
    assert calls(replace(view("diagnostician"), role=late, state=State.CHECK)) == set()
    later = saying({**late.words, State.DRAFT: frozenset({"trend"})})
    trends = replace(view("diagnostician"), role=later, state=State.CHECK)
    assert calls(trends) == {"look read_timeline F4 for trend"}
    action = decide("look read_timeline F4 for trend", trends)
    assert isinstance(action, Call)
    assert action.would_change == (wire.STATEMENT_KIND_TREND,)


def test_a_first_visit_compares_nothing_with_a_tool_either(story: Any, view: Callable[[str], View]) -> None:
    del story.inputs.reach[:]
    assert not any("compare" in text for text in menu(view("historian")))


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("ask_physician F8 for reaction", {"note": "hives"}),
        ("ask_physician F8 for reaction", {"assertion": 2}),  # absent
        ("ask_physician F8 for confirmation", {"provenance": 1}),  # structured
        ("ask_physician F6 for source", {"provenance": 1}),
        ("ask_physician F6 for adherence", {"status": 2}),  # ended
        ("ask_physician F6 for adherence", {"status": 7}),  # ordered
    ],
)
def test_what_the_record_answers_is_not_asked(
    story: Any, view: Callable[[str], View], text: str, answer: dict[str, Any]
) -> None:
    assert text in menu(view("pharmacist"))
    place = int(text.split("F")[1].split(" ", maxsplit=1)[0]) - 1
    for name, value in answer.items():
        setattr(story.inputs.context.facts[place].fact, name, value)
    assert text not in menu(view("pharmacist"))


def test_what_the_rules_ask_is_not_asked_again(story: Any, view: Callable[[str], View]) -> None:
    story.inputs.asked_fact_ids.append("fact-8")
    assert not any(text.startswith("ask_physician F8") for text in menu(view("pharmacist")))


def test_free_text_exists_for_the_diagnostician_in_the_draft_alone(view: Callable[[str], View]) -> None:
    for place in AT:
        allowed = replace(view(place), prose=40, grounds=("fact-4",))
        assert ("write" in menu(allowed)) == (place == "drafting")
        assert "write" not in menu(replace(allowed, grounds=()))
    drafting = replace(view("drafting"), prose=40, grounds=("fact-4",))
    assert decide("write", drafting) == Write(40, ("fact-4",))
    assert "write" not in menu(replace(drafting, done=frozenset({key("write")})))


def test_without_calls_left_no_tool_is_offered(view: Callable[[str], View]) -> None:
    assert not any(text.startswith("look") for text in menu(replace(view("pharmacist"), calls_left=0)))


def test_a_tool_that_the_driver_does_not_serve_does_not_exist(view: Callable[[str], View]) -> None:
    assert not any(text.startswith("look") for text in menu(replace(view("pharmacist"), tools=frozenset())))


def test_lines_that_a_role_has_not_read_cannot_be_named(view: Callable[[str], View]) -> None:
    sources = view("drafting").sources
    unread = next(place for place, line in enumerate(sources.lines) if line.handle == "F5")
    assert "latest F5" not in menu(replace(view("drafting"), shown=unread))


def test_a_first_visit_has_nothing_to_compare_with(story: Any, view: Callable[[str], View]) -> None:
    first = replace(view("diagnostician"), sources=sources_of(story.inputs, FIRST_VISIT))
    assert not any(text.startswith("change") for text in menu(first))


def test_withdrawn_and_replaced_facts_cannot_be_named(story: Any, view: Callable[[str], View]) -> None:
    facts = story.inputs.context.facts
    facts[3].superseded_at.FromDatetime(datetime(2026, 2, 1, tzinfo=UTC))
    facts[4].fact.status = 6  # entered in error
    offered = menu(view("drafting"))
    assert "latest F3" in offered  # the creatinine before the replaced one is the newest now
    assert [text for text in offered if text.startswith("latest")] == ["latest F3"]
