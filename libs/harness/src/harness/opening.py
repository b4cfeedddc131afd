"""The beginning that all roles share: the question and as many lines of the record as the model's context takes."""

from harness.prompts import opening
from harness.protocol import InputsRefusedError
from harness.session import Session


def open_record(session: Session) -> None:
    """Encodes question and lines once. Lines beyond the budget are dropped from the end, and that is recorded."""
    budget = session.policy.context_tokens
    ids = session.tokenizer.encode(opening(session.question))
    if len(ids) > budget:
        raise InputsRefusedError(f"the question alone takes more than the {budget} tokens of the context")
    kept = 0
    for line in session.sources.lines:
        more = session.tokenizer.encode(f"{line}\n")
        if len(ids) + len(more) > budget:
            break
        ids += more
        kept += 1
    dropped = session.sources.drop_lines_from(kept)
    if dropped:
        session.degrade("record", f"{dropped} lines did not fit the {budget} tokens that the model is shown")
    session.opening, session.base_lines = ids, kept
