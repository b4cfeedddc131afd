"""A consultation: the flow's phases, the roles in them, their actions carried out. No I/O and no clock.

`start` and `resume` return rounds of requests; the driver answers them and says what time it is. The same inputs,
answers and times give the same episode, byte for byte.
"""

from collections.abc import Generator, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import TypeAlias

from longitude.reasoning.v1.episode_pb2 import Decision, Episode, EpisodeInputs, Pins

from harness.agent import Agent
from harness.episode import Recorder, digest
from harness.flows import Phase
from harness.inputs import check_question, flow_of, policy_of, sources_of
from harness.opening import open_record
from harness.protocol import Answer, ModelPin, Outcome, ProtocolError, Request, Round
from harness.roles import COORDINATOR, ROLES
from harness.session import Session
from harness.states import State
from harness.tokenizer import Tokenizer
from harness.work import work

VERSION = "2"

_Run: TypeAlias = Generator[tuple[Request, ...], Sequence[Answer], None]


class Consultation:
    """One episode from its inputs to its outcome. Use it once; InputsRefusedError when it cannot begin."""

    def __init__(
        self, episode_id: str, inputs: EpisodeInputs, model: ModelPin, tokenizer: Tokenizer, *, seed: int
    ) -> None:
        check_question(inputs.question)
        self._flow = flow_of(inputs)
        self._inputs, self._tokenizer, self._seed = inputs, tokenizer, seed
        self._sources = sources_of(inputs, self._flow)
        self._recorder = Recorder(episode_id, _pins(inputs, model, tokenizer, seed), inputs)
        self._agents: dict[str, Agent] = {}
        self._pending = 0
        self._run: _Run | None = None
        self._finished = False
        self.state = State.GATHER

    def start(self, at: datetime) -> Round:
        """Begins at the time `at` (aware); returns what is asked first."""
        if self._run is not None:
            raise ProtocolError("the consultation was started already")
        self._session = Session(
            recorder=self._recorder,
            sources=self._sources,
            policy=policy_of(self._inputs),
            tokenizer=self._tokenizer,
            tools=frozenset(self._inputs.tools),
            seed=self._seed,
            now=at,
            started=at,
            question=self._inputs.question,
        )
        self._session.decide("harness", "started", self._flow.name)
        if self._flow.phases:
            open_record(self._session)
        self._run = self._phases()
        return self._next(None)

    def resume(self, answers: Sequence[Answer], at: datetime) -> Round:
        """Takes the answers to the last round, in its order; returns the next."""
        if self._run is None or self._finished or len(answers) != self._pending:
            raise ProtocolError(f"{self._pending} answers were asked for")
        self._session.now = at
        return self._next(answers)

    @property
    def outcome(self) -> Outcome:
        """The draft; there once a round was finished."""
        self._must_be_finished()
        draft, sources = self._session.draft, self._sources
        return Outcome(
            statements=draft.statements,
            proposals=draft.proposals,
            written=tuple(draft.written),
            degraded=tuple(self._session.degraded),
            facts=MappingProxyType(sources.facts),
            passages=MappingProxyType(sources.passages),
            shown=tuple(draft.shown),
        )

    def decide(self, by: str, what: str, reason: str, at: datetime) -> None:
        """Records what the driver decided about the outcome (the gate, a rule)."""
        self._must_be_finished()
        self._recorder.append(Decision(by=by, what=what, reason=reason), at)

    def close(self, at: datetime) -> Episode:
        """Ends the record and returns it."""
        self.decide("harness", "closed", "", at)
        self.state = State.CLOSED
        episode = Episode()
        episode.CopyFrom(self._recorder.episode)
        return episode

    @property
    def recorded(self) -> Episode:
        """The record so far; not to be changed."""
        return self._recorder.episode

    def _must_be_finished(self) -> None:
        if not self._finished or self.state is State.CLOSED:
            raise ProtocolError("the consultation is not waiting for review")

    def _next(self, answers: Sequence[Answer] | None) -> Round:
        assert self._run is not None
        try:
            requests = next(self._run) if answers is None else self._run.send(answers)
        except StopIteration:
            requests, self._finished, self.state = (), True, State.AWAIT_REVIEW
        self._pending = len(requests)
        return Round(requests, self._session.take_progress())

    def _phases(self) -> _Run:
        self._session.team = self._team()
        if not any(COORDINATOR.name in phase.roles for phase in self._flow.phases):
            self._add_mandatory()
        for phase in self._flow.phases:
            self.state = phase.state
            yield from self._together(phase)
            if COORDINATOR.name in phase.roles:
                self._add_mandatory()

    def _together(self, phase: Phase) -> _Run:
        """The roles of a phase at the same time: one round asks for all of them, answers are taken in role order."""
        at_work = [
            work(self._agent(name), phase.state, self._session) for name in phase.roles if self._takes_part(name)
        ]
        pending = [(agent, request) for agent in at_work for request in [next(agent, None)] if request is not None]
        while pending:
            answers = yield tuple(request for _, request in pending)
            following = []
            for (agent, _), answer in zip(pending, answers, strict=True):
                try:
                    following.append((agent, agent.send(answer)))
                except StopIteration:
                    continue
            pending = following

    def _agent(self, name: str) -> Agent:
        if name not in self._agents:
            self._agents[name] = Agent(ROLES[name], self._tokenizer, self._seed)
        return self._agents[name]

    def _takes_part(self, name: str) -> bool:
        return name == COORDINATOR.name or name in self._session.asked

    def _team(self) -> tuple[str, ...]:
        """Roles of the flow that the record gives something to do."""
        kinds = {fact.kind for fact in self._sources.facts.values()}
        names = dict.fromkeys(name for phase in self._flow.phases for name in phase.roles)
        return tuple(n for n in names if n != COORDINATOR.name and (not ROLES[n].needs or ROLES[n].needs & kinds))

    def _add_mandatory(self) -> None:
        """Whatever the coordinator chose, the mandatory roles run."""
        for name in self._session.team:
            if name in self._flow.mandatory and name not in self._session.asked:
                self._session.asked.add(name)
                self._session.decide("harness", f"added {name}", "mandatory")


def _pins(inputs: EpisodeInputs, model: ModelPin, tokenizer: Tokenizer, seed: int) -> Pins:
    return Pins(
        model=model.name,
        model_sha256=model.sha256,
        tokenizer_sha256=tokenizer.sha256,
        harness_version=VERSION,
        context_sha256=digest(inputs),
        seed=seed,
    )
