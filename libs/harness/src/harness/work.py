"""One agent at work in one state: it is offered what exists, chooses, the guard decides, the action is carried out."""

from collections.abc import Generator
from typing import TypeAlias

from longitude.reasoning.v1.episode_pb2 import ModelTurn

from harness.actions import Action, ActionRefusedError, Doubt, Finish, HandOver, Look, Propose, Say
from harness.agent import REFUSED, Agent
from harness.calls import call_of, take_result
from harness.grammar import Grammar, compile_menu
from harness.guard import View, decide
from harness.menu import menu
from harness.prompts import SYSTEM, after, briefing
from harness.protocol import Answer, Failed, Generated, ProtocolError, Request
from harness.session import Session
from harness.states import State
from harness.tokenizer import Tokenizer

WHOLE = ("grammar_end", "stop")  # finish reasons of an answer that was not cut off

Work: TypeAlias = Generator[Request, Answer, None]


def work(agent: Agent, state: State, session: Session) -> Work:
    """Runs the agent until it finishes, has nothing left to choose, or has used its budget."""
    _brief(agent, state, session)
    while True:
        choices = menu(_view(agent, state, session))
        grammar = compile_menu(choices, session.tokenizer)
        if len(choices) == 1 or _stopped(agent, grammar, session):
            return
        text = yield from _choose(agent, state, grammar, session)
        if text is None:
            return
        action = _guarded(text, _view(agent, state, session), agent, session)
        if isinstance(action, Finish):
            return
        said = "Refused." if action is None else (yield from _carry_out(action, text, agent, session))
        agent.observe(after(said, _new_lines(agent, session)))


def _choose(agent: Agent, state: State, grammar: Grammar, session: Session) -> Generator[Request, Answer, str | None]:
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
    return _text(turn, session.tokenizer)


def _text(turn: ModelTurn, tokenizer: Tokenizer) -> str:
    """The action's text without its end token; a turn that was cut off has none."""
    if turn.finish_reason not in WHOLE:
        return ""
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
    session.decide("guard", f"{agent.role.name}: {text}", "allowed")
    return action


def _carry_out(action: Action, text: str, agent: Agent, session: Session) -> Generator[Request, Answer, str]:
    """Does it; returns what the agent reads of it."""
    role, step = agent.role.name, len(session.recorder.episode.steps) - 2  # the turn, before the guard's decision
    session.finish_action(role, text, len(session.recorder.episode.steps[step].turn.action_ids))
    if isinstance(action, Look):
        return (yield from _look(action, agent, session))
    if isinstance(action, Say):
        session.draft.say(action.statement, text, role, step)
    elif isinstance(action, Propose):
        session.draft.propose(action, text, role, step)
    elif isinstance(action, HandOver):
        session.asked.add(action.role)
    elif isinstance(action, Doubt):
        session.draft.doubt(action.number)
    return "Noted."


def _look(action: Look, agent: Agent, session: Session) -> Generator[Request, Answer, str]:
    agent.calls += 1
    call = call_of(action, agent.role.name, session.sources)
    answer = yield call
    if isinstance(answer, Generated):
        raise ProtocolError("a tool's result was asked for")
    return take_result(call, answer, session)


def _brief(agent: Agent, state: State, session: Session) -> None:
    """Tells the agent what is new and what it may do; at its first state also the shared beginning."""
    first = not agent.ids
    if first:
        agent.shown = session.base_lines
    drafted = session.draft.lines() if state is State.VERIFY else []
    text = briefing(agent.role, state, [*_new_lines(agent, session), *drafted])
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
        calls_left=agent.role.budget.calls - agent.calls,
        team=session.team,
    )


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
