"""A text that another system wrote, judged sentence by sentence against the whole record.

Guarantee: every word of the text is in a span or is layout; a span is judged with the headings and introducing lines
above it; only a heading or a question can pass as asserting nothing, and only if it holds no word that the verifier
does not know. An instruction is never supported: a record says what is, not what is to be done.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from grounding.claims import Claim, Verdict, worst
from grounding.layout import TITLE_WORDS, Block, blocks
from grounding.spans import Span, sentences
from grounding.verify import NOTHING, Verifier
from grounding.vocabulary import CUE_OF, DOING

# Words by which a question asks.
_ASKING_WORDS = frozenset(
    ("any", "are", "can", "could", "did", "do", "does", "how", "is", "may", "shall", "should", "why", "would")
)
# It begins with a bare verb of doing, or says what must, may or can be done. `Increase in creatinine` does neither.
_INSTRUCTS = re.compile(
    rf"(?:please\s+)?(?:{'|'.join(DOING)})\b(?!\s+(?:from|in|of|since)\b)|.*\b(?:must|may|can)\b",
    re.IGNORECASE | re.DOTALL,
)
_QUOTED = re.compile(r"“[^”]*”")
MOST_SENTENCES = 2_000
# Characters of a sentence that is read: the work grows with the square of what one sentence mentions.
LONGEST_SENTENCE = 1_000


class TooManySentencesError(ValueError):
    """A text that is not checked in one piece."""

    def __init__(self) -> None:
        super().__init__(f"the text has more than {MOST_SENTENCES:,} sentences; check it in parts")


@dataclass(frozen=True, slots=True)
class Judged:
    """Characters [start, end) of the text, what they claim, and the worst verdict; None: they assert nothing."""

    start: int
    end: int
    claims: tuple[Claim, ...]
    verdict: Verdict | None

    @property
    def reason(self) -> str:
        """Why it is not supported; empty when it is, or asserts nothing."""
        if self.verdict in (None, Verdict.SUPPORTED):
            return ""
        deciding = (f"{claim.check}: {claim.reason}" for claim in self.claims if claim.verdict is self.verdict)
        return next(deciding, "nothing in it can be checked")


@dataclass(frozen=True, slots=True)
class _Piece:
    """A sentence in the text that the verifier reads: its leading lines from `at` on, its own words from `own` on."""

    at: int
    own: int
    span: Span
    words: str
    block: Block

    @property
    def is_question(self) -> bool:
        return self.words.endswith("?")


def judge(text: str, verifier: Verifier) -> tuple[Judged, ...]:
    """The spans of a text in order, without overlap; offsets are those of the text as it came.

    TooManySentencesError before anything is verified.
    """
    pieces, reading = _pieces(text)
    found: list[list[Claim]] = [[] for _ in pieces]
    starts = [piece.at for piece in pieces]
    for claim in verifier.verify_uncited(reading).claims:
        if claim.check == NOTHING:
            continue
        for place in range(bisect_right(starts, claim.start) - 1, bisect_right(starts, claim.end - 1)):
            found[place] += _own(claim, pieces[place])
    return tuple(_judge(piece, claims) for piece, claims in zip(pieces, found, strict=True))


def worst_of(spans: Iterable[Judged]) -> Verdict:
    """Of the spans that assert something; a text that asserts nothing supports nothing."""
    verdicts = {span.verdict for span in spans} - {None}
    if Verdict.CONTRADICTED in verdicts:
        return Verdict.CONTRADICTED
    return Verdict.SUPPORTED if verdicts == {Verdict.SUPPORTED} else Verdict.UNSUPPORTED


def _pieces(text: str) -> tuple[list[_Piece], str]:
    """The pieces, and what the verifier reads: one line for each, its leading lines before its own words."""
    pieces: list[_Piece] = []
    lines: list[str] = []
    at = 0
    for block in blocks(text):
        lead = f"{block.lead} " if block.lead else ""
        for span in sentences(block.text):
            words = span.of(block.text)
            if not any(map(str.isalnum, words)):
                continue
            if len(pieces) == MOST_SENTENCES:
                raise TooManySentencesError
            own = Span(block.start + span.start, block.start + span.end)
            pieces.append(_Piece(at, at + len(lead), own, words, block))
            lines.append(lead + (words if len(words) <= LONGEST_SENTENCE else ""))
            at += len(lines[-1]) + 1
    return pieces, "\n".join(lines)


def _own(claim: Claim, piece: _Piece) -> Iterator[Claim]:
    """The claim, as far as it is about this piece, with its offsets in the text.

    Of the leading lines only a cue counts that does not fit: it speaks of this sentence.
    """
    span, shift = piece.span, piece.span.start - piece.own
    if claim.end > piece.own:
        yield replace(claim, start=max(claim.start + shift, span.start), end=min(claim.end + shift, span.end))
    elif claim.verdict is not Verdict.SUPPORTED and _text(claim, piece) in CUE_OF:
        yield replace(claim, start=span.start, end=span.end)


def _text(claim: Claim, piece: _Piece) -> str:
    return f"{piece.block.lead} {piece.words}"[claim.start - piece.at : claim.end - piece.at].lower()


def _judge(piece: _Piece, claims: list[Claim]) -> Judged:
    if len(piece.words) > LONGEST_SENTENCE:
        return _unread(piece.span)
    kept = tuple(claim for claim in [*_instruction(piece), *claims] if not _is_form(claim, piece))
    asks = piece.is_question and all(claim.verdict is Verdict.SUPPORTED for claim in kept)
    if not asks and not all(map(_is_only_a_day, kept)):
        return Judged(piece.span.start, piece.span.end, kept, worst(kept))
    asserts_nothing = piece.block.is_heading or piece.is_question
    return Judged(piece.span.start, piece.span.end, (), None if asserts_nothing else Verdict.UNSUPPORTED)


def _instruction(piece: _Piece) -> Iterator[Claim]:
    if _INSTRUCTS.match(_QUOTED.sub("", piece.words)) and not piece.is_question and not piece.block.is_heading:
        reason = "it says what is to be done, which no record can support"
        yield Claim(piece.span.start, piece.span.end, "instruction", Verdict.UNSUPPORTED, reason)


def _unread(span: Span) -> Judged:
    reason = f"it has more than {LONGEST_SENTENCE:,} characters and was not read"
    claim = Claim(span.start, span.end, "length", Verdict.UNSUPPORTED, reason)
    return Judged(span.start, span.end, (claim,), claim.verdict)


def _is_only_a_day(claim: Claim) -> bool:
    """A day of the record says nothing by itself."""
    return claim.check == "date" and claim.verdict is Verdict.SUPPORTED


def _is_form(claim: Claim, piece: _Piece) -> bool:
    """A word of a title or of asking; a cue of a heading, which is judged with what stands below."""
    word = piece.words[claim.start - piece.span.start : claim.end - piece.span.start].lower()
    if piece.is_question and claim.check == "term" and word in _ASKING_WORDS:
        return True
    if not piece.block.is_heading:
        return False
    return (claim.check == "term" and word in TITLE_WORDS) or (piece.block.leads and word in CUE_OF)
