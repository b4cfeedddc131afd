"""One agent at work in one state: it is offered what exists, chooses, the guard decides, the action is carried out."""

from collections.abc import Generator
from dataclasses import replace
from typing import TypeAlias

from longitude.reasoning.v1.episode_pb2 import ModelTurn

from harness.actions import (
    Action,
    ActionRefusedError,
    AskPhysician,
    Call,
    Doubt,
    Finish,
    HandOver,
    Propose,
    Say,
    Show,
    Think,
    Write,
)
from harness.agent import REFUSED, Agent
from harness.calls import call_of, take_result
from harness.draft import Draft
from harness.grammar import Grammar, compile_menu
from harness.guard import decide
from harness.menu import menu
from harness.prompts import SYSTEM, THINKING, WRITING, after, briefing
from harness.protocol import Answer, Failed, Generated, ProtocolError, Request, Shown
from harness.session import Session
from harness.states import State
from harness.tokenizer import Tokenizer
from harness.typed import to_proto
from harness.view import View
from harness.words import Act

# Tokens around the text of a turn, and of the action that begins a free one.
_AROUND = 16
WHOLE = ("grammar_end", "stop")  # finish reasons of an answer that was not cut off

Work: TypeAlias = Generator[Request, Answer, None]


def work(agent: Agent, state: State, session: Session) -> Work:
    """Runs the agent until it finishes, has nothing left to choose, or has used its budget."""
    _brief(agent, state, session)
    while True:
        view = _view(agent, state, session)
        choices = menu(view)
        grammar = compile_menu(choices, session.tokenizer)
        if len(choices) == 1 or _stopped(agent, grammar, session):
            return
        turn = yield from _turn(agent, state, grammar, session)
        if turn is None:
            return
        text = _text(turn, session.tokenizer)
        # What others did in the meantime counts; what this turn used up does not.
        view = replace(view, done=frozenset(session.done), drafted=len(session.draft))
        action = _guarded(text, view, agent, session)
        if isinstance(action, Finish):
            return
        said = "Refused." if action is None else (yield from _carry_out(action, text, agent, state, session))
        if said is None:
            return
        agent.observe(after(said, _new_lines(agent, session)))


def _turn(
    agent: Agent, state: State, grammar: Grammar, session: Session
) -> Generator[Request, Answer, ModelTurn | None]:
    """One turn of the model, recorded. None: the model could not be reached and the agent gives up."""
    request = agent.generate(state, grammar, session.policy)
    answer = yield request
    if not isinstance(answer, Generated | Failed):
        raise ProtocolError("tokens were asked for")
    turn = agent.take(request, answer)
    session.record(turn)
    if isinstance(answer, Failed):
        session.degrade(agent.role.name, answer.reason)
        return None
    return turn


def _text(turn: ModelTurn, tokenizer: Tokenizer) -> str:
    """The action's text; a turn that was cut off has none."""
    return _decoded(turn, tokenizer) if turn.finish_reason in WHOLE else ""


def _decoded(turn: ModelTurn, tokenizer: Tokenizer) -> str:
    """What the turn wrote, without its end token."""
    ids = list(turn.action_ids)
    return tokenizer.decode(ids[:-1] if ids[-1:] == [tokenizer.end] else ids)


def _guarded(text: str, view: View, agent: Agent, session: Session) -> Action | None:
    """The action, or None when the guard refused it; either is recorded."""
    try:
        action = decide(text, view)
    except ActionRefusedError as error:
        agent.refusals += 1
        session.decide("guard", f"refused an action of {agent.role.name}", str(error))
        return None
    session.decide("guard", f"{agent.role.name}: {text}", "allowed", to_proto(action))
    return action


def _carry_out(
    action: Action, text: str, agent: Agent, state: State, session: Session
) -> Generator[Request, Answer, str | None]:
    """Does it; returns what the agent reads of it, or None when it gives up."""
    role, step = agent.role.name, len(session.recorder.episode.steps) - 2  # the turn, before the guard's decision
    session.finish_action(role, text, len(session.recorder.episode.steps[step].turn.action_ids))
    if isinstance(action, Call):
        return (yield from _call(action, agent, session))
    if isinstance(action, Write):
        return (yield from _write(action, agent, state, session))
    if isinstance(action, Think):
        return (yield from _think(action, agent, state, session))
    if isinstance(action, HandOver):
        session.asked.add(action.role)
    else:
        _put_down(action, text, role, step, session.draft)
    return "Noted."


def _put_down(action: Action, text: str, role: str, step: int, draft: Draft) -> None:
    """What the draft holds of an action."""
    if isinstance(action, Say):
        draft.say(action.choice, text, role, step)
    elif isinstance(action, AskPhysician):
        draft.say(action, text, role, step)
    elif isinstance(action, Propose):
        draft.propose(action, text, role, step)
    elif isinstance(action, Doubt):
        draft.doubt(action.number)
    elif isinstance(action, Show):
        draft.shown.append(Shown(action.number, step))


def _call(action: Call, agent: Agent, session: Session) -> Generator[Request, Answer, str]:
    agent.calls += 1
    call = call_of(action, agent.role.name, session.sources)
    answer = yield call
    if isinstance(answer, Generated):
        raise ProtocolError("a tool's result was asked for")
    return take_result(action, call, answer, session)


def _write(action: Write, agent: Agent, state: State, session: Session) -> Generator[Request, Answer, str | None]:
    """One free turn: its text joins the outcome as it is, and is read by nobody here."""
    agent.observe(WRITING)
    turn = yield from _turn(agent, state, Grammar("", action.tokens), session)
    if turn is None:
        return None
    step = len(session.recorder.episode.steps) - 1
    session.draft.write(_decoded(turn, session.tokenizer), action.fact_ids, agent.role.name, step)
    return "Noted."


def _think(action: Think, agent: Agent, state: State, session: Session) -> Generator[Request, Answer, str | None]:
    """One free turn that stays in the sequence and goes nowhere else."""
    before = agent.tokens
    agent.observe(THINKING)
    turn = yield from _turn(agent, state, Grammar("", action.tokens), session)
    agent.thought(agent.tokens - before)
    return None if turn is None else "Noted."


def _brief(agent: Agent, state: State, session: Session) -> None:
    """Tells the agent what is new and what it may do; at its first state also the shared beginning."""
    first = not agent.ids
    if first:
        agent.shown = session.base_lines
    drafted = session.draft.lines() if state is State.VERIFY else []
    # A small network reads best what it is asked right before it answers.
    again = [f"Question: {session.question}"] if state is State.SELECT else []
    lines = [*_new_lines(agent, session), *drafted, *again]
    text = briefing(agent.role, state, lines, thinks=bool(session.policy.think_tokens))
    if first:
        agent.open(SYSTEM, session.opening, text)
    else:
        agent.observe(text)


def _new_lines(agent: Agent, session: Session) -> list[str]:
    """Lines that tools brought in since the agent last looked."""
    lines = session.sources.lines[agent.shown :]
    agent.shown += len(lines)
    return [str(line) for line in lines]


def _view(agent: Agent, state: State, session: Session) -> View:
    return View(
        role=agent.role,
        state=state,
        sources=session.sources,
        shown=agent.shown,
        done=frozenset(session.done),
        drafted=len(session.draft),
        tools=session.tools,
        calls_left=agent.role.budget.calls - agent.calls if agent.turns_left > 1 else 0,
        team=session.team,
        prose=_prose(agent, session),
        thought=_thought(agent, session),
        grounds=tuple(dict.fromkeys((*session.draft.fact_ids, *session.sources.told))),
    )


def _prose(agent: Agent, session: Session) -> int:
    """Tokens of the free turn that the policy allows, if the agent can still take an action and that turn."""
    tokens = session.policy.prose_tokens
    if not tokens or str(Act.WRITE) in session.done:
        return 0
    needed = tokens + len(session.tokenizer.encode(WRITING)) + _AROUND
    return tokens if agent.turns_left > 1 and not agent.exhausted(needed, session.policy.window) else 0


def _thought(agent: Agent, session: Session) -> int:
    """Tokens of the scratch that the policy allows, once, if the window takes it and the choices after it."""
    tokens = session.policy.think_tokens
    if not tokens or str(Act.THINK) in session.done:
        return 0
    needed = tokens + len(session.tokenizer.encode(THINKING)) + _AROUND
    room = len(agent.ids) + needed + agent.role.budget.tokens
    return tokens if room <= session.policy.window else 0


def _stopped(agent: Agent, grammar: Grammar, session: Session) -> bool:
    """Whether a budget is used up; that is recorded."""
    spent = "seconds" if session.late else agent.exhausted(grammar.longest, session.policy.window)
    if spent:
        session.decide("harness", f"stopped {agent.role.name}", f"budget used: {spent}")
    if spent in ("seconds", "window"):
        session.degraded.append(f"{agent.role.name}: stopped, {spent} used up")
    if spent == REFUSED:
        session.degraded.append(f"{agent.role.name}: stopped, {spent}")
    return bool(spent)
