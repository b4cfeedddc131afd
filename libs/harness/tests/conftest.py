"""Records to consult about, a small real tokenizer, and drivers that choose as the grammar lets them."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from harness import CallTool, Consultation, Failed, Generate, Generated, ModelPin, Replay, Tokenizer, ToolResult
from harness.protocol import Answer, Request
from longitude.reasoning.v1.episode_pb2 import Calculation, EpisodeInputs, Reach
from longitude.record.v1.context_pb2 import Context, Passage
from longitude.record.v1.fact_pb2 import ClinicalFact, CodedConcept, FactKind, FactStatus
from testkit.choosing import alternatives, generated, tiny_tokenizer

START = datetime(2026, 3, 1, 9, tzinfo=UTC)
MODEL = ModelPin("test-model", "ab" * 32)
TOOLS = (
    *("read_timeline", "search_memory", "search_evidence", "read_document", "read_image_findings"),
    *("compare_with_last_visit", "calculate"),
)


class Story:
    """A record under construction; every fact and passage gets a line of its own."""

    def __init__(self) -> None:
        self.inputs = EpisodeInputs(question="Do the medications still fit?", tools=TOOLS)
        self.inputs.since.FromDatetime(datetime(2025, 6, 1, tzinfo=UTC))

    def fact(self, kind: str, code: str, day: str, value: str = "", **fields: object) -> str:
        """Adds a fact of `FACT_KIND_<kind>` and returns its id."""
        context = self.inputs.context
        fact = ClinicalFact(
            fact_id=f"fact-{len(context.facts) + 1}",
            kind=FactKind.Value(f"FACT_KIND_{kind}"),
            code=CodedConcept(system="urn:test", code=code, display=code),
            status=FactStatus.FACT_STATUS_ACTIVE,
            **fields,  # type: ignore[arg-type]
        )
        if value:
            fact.quantity.value = value
        fact.valid_from.FromDatetime(datetime.fromisoformat(day))
        context.facts.add(fact=fact)
        context.lines.add(text=f"{day} {code} {value}", fact_id=fact.fact_id)
        return fact.fact_id

    def passage(self, text: str) -> str:
        context = self.inputs.context
        passage = Passage(passage_id=f"passage-{len(context.passages) + 1}", title=text, text=text)
        context.passages.append(passage)
        context.lines.add(text=text, passage_id=passage.passage_id)
        return passage.passage_id

    def calculation(self, name: str, about: str, purpose: str) -> None:
        """What the runtime can compute of one fact."""
        self.inputs.calculations.append(Calculation(name=name, fact_ids=[about], about=about, purpose=purpose))

    def reach(self, tool: str, about: str, *fact_ids: str) -> None:
        self.inputs.reach.append(Reach(tool=tool, fact_id=about, fact_ids=fact_ids))


def usual_story() -> Story:
    """A little of everything."""
    story = Story()
    story.fact("PROBLEM", "diabetes", "2022-01-01")
    for day, value in (("2024-01-01", "1.1"), ("2025-01-01", "1.5"), ("2026-01-01", "2.0")):
        story.fact("RESULT", "creatinine", day, value)
    story.fact("RESULT", "potassium", "2026-01-01", "5.1")
    story.fact("MEDICATION", "metformin", "2022-01-05")
    story.fact("MEDICATION", "ibuprofen", "2026-01-02")
    story.fact("ALLERGY", "penicillin", "2023-01-01")
    story.fact("IMAGING_FINDING", "cardiomegaly", "2026-01-01")
    story.fact("DOCUMENT", "letter", "2025-12-01")
    story.passage("Metformin is contraindicated below an eGFR of 30.")
    story.passage("NSAIDs may worsen kidney function.")
    story.calculation("ckd-epi-2021", "fact-4", "function")
    story.calculation("dose-limit", "fact-6", "dose")
    story.reach("read_timeline", "fact-4", "fact-4", "fact-3", "an older one")
    story.reach("read_timeline", "fact-5", "fact-5")
    story.reach("search_memory", "", "read from a letter")
    story.reach("read_document", "fact-10", "read from the letter")
    story.reach("read_image_findings", "", "fact-9")
    story.reach("compare_with_last_visit", "", "fact-7", "a new one")
    story.inputs.absences.add(system="urn:test", code="albumin", display="urine albumin")
    story.inputs.findings.add(name="rule", text="metformin below an eGFR of 30", fact_ids=["fact-6"])
    return story


def random_story(seed: int) -> Story:
    """Any number of facts of any kind, some withdrawn, some replaced, some without a line."""
    chance, story = random.Random(seed), Story()
    kinds = [value.name.removeprefix("FACT_KIND_") for value in FactKind.DESCRIPTOR.values][1:]
    for _ in range(chance.randrange(0, 25)):
        day = f"202{chance.randrange(2, 7)}-0{chance.randrange(1, 10)}-11"
        story.fact(chance.choice(kinds), chance.choice("abcd"), day, chance.choice(["", "1.2", "7"]))
        held = story.inputs.context.facts[-1]
        if chance.random() < 0.1:
            held.fact.status = FactStatus.FACT_STATUS_ENTERED_IN_ERROR
        if chance.random() < 0.1:
            held.superseded_at.FromDatetime(datetime(2026, 1, 1, tzinfo=UTC))
        if chance.random() < 0.1:
            del story.inputs.context.lines[-1]
    for number in range(chance.randrange(0, 4)):
        story.passage(f"Passage {number}")
    tempt(story, chance)
    story.inputs.flow = chance.choice(["first_visit", "follow_up", "select"])
    return story


def tempt(story: Story, chance: random.Random) -> None:
    """What tools could bring and compute, what was asked, and whether free text is allowed: all by chance."""
    ids = [held.fact.fact_id for held in story.inputs.context.facts]
    for fact_id in ids:
        if chance.random() < 0.3:
            story.calculation(chance.choice(["stage", "limit"]), fact_id, chance.choice(["function", "dose", "risk"]))
        if chance.random() < 0.5:
            tool = chance.choice([name for name in TOOLS if name not in ("calculate", "search_evidence")])
            story.reach(tool, chance.choice([fact_id, ""]), *chance.sample(ids, min(2, len(ids))))
    story.inputs.asked_fact_ids.extend(each for each in ids if chance.random() < 0.2)
    story.inputs.findings.add(name="rule", text="a rule", fact_ids=ids[:1])
    for fact_id in ids:
        story.inputs.candidates.add(text="A thing.", fact_ids=[fact_id], mandatory=chance.random() < 0.1)
    story.inputs.policy.prose_tokens = chance.choice([0, 0, 20])


Choose = Callable[[Generate], Sequence[int] | Answer]


def nothing_found(call: CallTool) -> Answer:
    return ToolResult(Context())


@dataclass
class Driver:
    """Drives a run with a chooser of tokens and a server of tools; keeps what was asked."""

    choose: Choose
    tool: Callable[[CallTool], Answer] = nothing_found
    requests: list[Request] = field(default_factory=list)
    widths: list[int] = field(default_factory=list)

    def answer(self, request: Request) -> Answer:
        self.requests.append(request)
        if isinstance(request, CallTool):
            return self.tool(request)
        chosen = self.choose(request)
        return chosen if isinstance(chosen, Failed | Generated | ToolResult) else generated(chosen)

    def drive(self, run: Consultation, step: timedelta = timedelta(seconds=1)) -> Consultation:
        at, pending = START, run.start(START)
        while not pending.finished:
            self.widths.append(len(pending.requests))
            at += step
            pending = run.resume([self.answer(request) for request in pending.requests], at)
        return run

    def replay(self, again: Replay) -> None:
        pending = again.start()
        while not pending.finished:
            pending = again.resume([self.answer(request) for request in pending.requests])


def chooses_randomly(seed: int) -> Choose:
    """Among what the grammar allows; any tokens at all where it allows them."""
    chance = random.Random(seed)

    def choose(request: Generate) -> Sequence[int]:
        if not request.grammar:
            return [chance.randrange(2, 258) for _ in range(chance.randrange(0, request.max_tokens))]
        return chance.choice(alternatives(request.grammar))

    return choose


@pytest.fixture(scope="session")
def tokenizer() -> Tokenizer:
    return tiny_tokenizer("latest trend change medication allergy problem imaging evidence propose review finish F1 E2")


@pytest.fixture
def story() -> Story:
    return usual_story()


@pytest.fixture
def consult(tokenizer: Tokenizer) -> Callable[..., Consultation]:
    def make(inputs: EpisodeInputs, seed: int = 0) -> Consultation:
        return Consultation("episode-1", inputs, MODEL, tokenizer, seed=seed)

    return make


@pytest.fixture
def say(tokenizer: Tokenizer) -> Callable[..., Choose]:
    """A chooser that says the first of its wishes that the grammar allows, else finishes."""

    def wishing(*wishes: str) -> Choose:
        def choose(request: Generate) -> Sequence[int]:
            if not request.grammar:
                return tokenizer.encode("Free.")
            allowed = [tokenizer.decode(ids) for ids in alternatives(request.grammar)]
            return tokenizer.encode(next((wish for wish in wishes if wish in allowed), "finish"))

        return choose

    return wishing


@pytest.fixture
def drive() -> type[Driver]:
    """Makes drivers: `drive(choose, tool).drive(run)`."""
    return Driver


@pytest.fixture
def at_random() -> Callable[[int], Choose]:
    """A chooser among what the grammar allows, by seed."""
    return chooses_randomly


@pytest.fixture
def any_story() -> Callable[[int], Story]:
    """A random record, by seed."""
    return random_story


@pytest.fixture
def answer() -> Callable[..., Generated]:
    """An answer of the model with these tokens and this finish reason."""
    return generated


@pytest.fixture
def other_tokenizer() -> Tokenizer:
    return tiny_tokenizer("quite another language with other pieces in it")
