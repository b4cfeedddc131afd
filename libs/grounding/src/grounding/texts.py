"""The texts of a record as sources: letters, notes and the long texts of reports, sentence by sentence.

Guarantee: a text supports an assertion only if one of its sentences asserts the same: the same kind and polarity, every
name, word, amount and side in the same place, at a time that agrees; it carries the id of the text's own fact. Nothing
is read before an assertion needs it, and then only sentences that hold a name of it.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache, cached_property
from itertools import islice
from weakref import WeakKeyDictionary

from grounding import facts
from grounding.claims import Verdict
from grounding.commands import speaks_to_software
from grounding.comparing import meaning, paraphrase, signature, social
from grounding.comparing.compare import compare
from grounding.comparing.findings import items
from grounding.comparing.meaning import Span, UnclearError
from grounding.comparing.outcome import Outcome, contradicted, unsupported
from grounding.comparing.paraphrase import Content
from grounding.comparing.record import Record
from grounding.comparing.signature import Assertion, Signature, word_of
from grounding.documents import Piece, TooManySentencesError, pieces
from grounding.documents import read as read_piece
from grounding.lexicon import Keys
from grounding.reading import answers, names, tokens
from grounding.reading.grammar import grammar
from grounding.reading.nodes import Node
from grounding.reading.sections import section
from grounding.sentence import read as read_sentence
from grounding.sources import Sources

# Days before the patient was last seen for which a text says what holds now.
RECENT = 31
# Sentences that are read for one assertion: the newest.
_MOST = 60
# Spaces from which on the text of a result is a report.
_REPORT = 5
_WORD = re.compile(r"[^\W_]+")
# Where a sentence is cut: wide, and within such a part, narrow.
_PARTS = (re.compile(r"[;:]\s+|\s+[–—-]\s+"), re.compile(r",\s+"))
_CUT = re.compile(r"[;,]\s+|\s+[–—-]\s+")
# What frames a complaint, or names where it stands.
_FRAME = re.compile(
    r"^(?:(?:she|he|the patient) )?present(?:s|ed) with (?:an? )?|(?<=day )history of |^according to |"
    r"\b(?:says|states) that ",
    re.IGNORECASE,
)
# Where what is held against it may be cut.
_TOLD = re.compile(r"[;,]\s+|\s+[–—-]\s+|,?\s+(?:and|with|but|without)\s+")
# What lines that lead others say of what is not done yet.
_PLANS = frozenset({"plan", "recommendation", "instruction", "advice", "outlook", "disposition", "goal"})
# Parts of a sentence that are taken together.
_LONGEST_RUN = 4
# Words by which a sentence takes back what a part of it says.
_SCOPE_WORDS = """
    if unless whether probably probable possibly possible suspected suspect likely unlikely may might could
    would should either query no not never denies denied without rule ruled cannot
"""
_SCOPE = frozenset(_SCOPE_WORDS.split())
# What a denial may add: where there is no fracture, there is no acute one.
_ANY = frozenset({"acute", "new"})
_PRESENT, _ABSENT = "present", "absent"
# Kinds that say of something in the past: they stay true.
_LASTING = frozenset(
    {
        "relative",
        "reaction",
        "allergy",
        "given",
        "took",
        "started",
        "stopped",
        "treated",
        "advised-against",
        "admitted",
        "care-plan",
    }
)
_SEEN = frozenset({"finding", "no-finding", "normal-finding"})
# Kinds that answer questions of the social history.
_ANSWERED = frozenset({"social", "person"})
_BY_ITEM = frozenset({"finding", "no-finding", "problem", "no-problem"})


@dataclass(frozen=True, slots=True)
class Named:
    """The texts and the films that a sentence names for all that it says."""

    origins: tuple[Node, ...] = ()
    films: tuple[Node, ...] = ()


@dataclass(frozen=True)
class Said:
    """A sentence of a text."""

    text: "Text"
    piece: Piece

    @property
    def fact_id(self) -> str:
        return self.text.fact_id

    @property
    def day(self) -> date:
        return self.text.day

    @property
    def header(self) -> frozenset[str]:
        return self.text.header

    @cached_property
    def words(self) -> tuple[str, ...]:
        return tuple(_words(self.piece.words))

    @cached_property
    def stems(self) -> frozenset[str]:
        return frozenset(map(paraphrase.stem, self.words))


@dataclass(frozen=True)
class Text:
    """A letter or report, with its own fact, its day, and what it is called; it is cut into sentences when needed."""

    fact_id: str
    day: date
    title: str
    text: str

    @cached_property
    def header(self) -> frozenset[str]:
        return frozenset(_words(f"{self.title} {self.text.strip().partition(chr(10))[0]}"))

    @cached_property
    def words(self) -> frozenset[str]:
        return frozenset(map(word_of, set(_WORD.findall(self.text))))

    @cached_property
    def stems(self) -> frozenset[str]:
        return frozenset(map(paraphrase.stem, self.words))

    @cached_property
    def sentences(self) -> tuple[Said, ...]:
        try:
            return tuple(Said(self, piece) for piece in pieces(self.text))
        except TooManySentencesError:
            return ()


class Texts:
    """The texts of a record, newest first, with the words that they hold."""

    def __init__(self, sources: Sources) -> None:
        self.all = tuple(sorted(_texts(sources), key=lambda each: each.day, reverse=True))
        self._read: dict[tuple[str, ...], tuple[Assertion, ...]] = {}
        self._beginnings: dict[str, set[str]] | None = None

    def near(self, item: Signature, record: Record) -> Iterator[Said]:
        """The newest sentences that may name it."""
        needed = [self._spelled(keys, record) for keys in item.names] + [{word} for word in item.core]
        return islice(self._holding(needed), _MOST) if needed else iter(())

    def answering(self, question: str) -> Iterator[Said]:
        """The newest sentences that may answer a question of the social history."""
        return islice(self._holding([set(map(word_of, answers.first_words(question)))]), _MOST)

    def assertions(self, spoken: Said, record: Record) -> tuple[Assertion, ...]:
        """What a sentence asserts, or where it is not read whole, what the parts of it do that stand by themselves."""
        key = (spoken.piece.words, spoken.piece.before, *spoken.piece.block.above)
        if key not in self._read:
            clauses = read_piece(spoken.piece, record).clauses or _of_parts(spoken.piece, record)
            self._read[key] = tuple(map(signature.of, clauses))
        return self._read[key]

    def restated(self, sentence: str) -> Said | None:
        """The newest sentence of the same words."""
        words = tuple(_words(sentence))
        alike = self._holding([{word} for word in words])
        return next((spoken for spoken in alike if spoken.words == words and _is_plain(spoken.piece)), None)

    def alike(self, other: Content, is_near: Callable[["Text"], bool], record: Record) -> Iterator[Said]:
        """The newest sentences of some texts that may hold the words and the first name of what is said."""
        wanted = other.words
        named = [
            set(map(paraphrase.stem, self._spelled(each[1][0], record))) | {each[1][1]} for each in other.of("name")
        ]
        for text in self.all if wanted or named else ():
            if is_near(text) and wanted <= text.stems:
                yield from (each for each in text.sentences if wanted <= each.stems and _holds(each.stems, named[:1]))

    def _holding(self, needed: Sequence[set[str]]) -> Iterator[Said]:
        """Sentences that hold one of each of these words."""
        for text in self.all:
            if not any(text.words.isdisjoint(each) for each in needed):
                yield from (
                    spoken for spoken in text.sentences if not any(each.isdisjoint(spoken.words) for each in needed)
                )

    def _spelled(self, keys: Keys, record: Record) -> set[str]:
        """The first words of the names that have one of these keys."""
        if self._beginnings is None:
            self._beginnings = record.known.names.beginnings()
        return {word_of(word) for key in keys for own in (_beginnings(), self._beginnings) for word in own.get(key, ())}


def _holds(words: frozenset[str], needed: Sequence[set[str]]) -> bool:
    """Whether there is one of each of these words."""
    return not any(words.isdisjoint(each) for each in needed)


_OF: WeakKeyDictionary[Sources, Texts] = WeakKeyDictionary()


def of(record: Record) -> Texts:
    """Built once for the sources of a record."""
    if record.sources not in _OF:
        _OF[record.sources] = Texts(record.sources)
    return _OF[record.sources]


def decided(clause: Node, outcomes: list[Outcome], record: Record, named: Named = Named()) -> list[Outcome]:
    """The outcomes as they are where the facts decide; else what a text says. `named`: by the whole sentence."""
    if record.cited or any(each.verdict is Verdict.CONTRADICTED for each in outcomes):
        return outcomes
    texts = of(record)
    if clause.kind in ("source", "written"):
        return [_named(clause, texts)]
    if clause.kind in _ANSWERED and not clause.says("changed") and not named.origins:
        return [*_of_answers(clause, outcomes, texts, record)]
    return _of_texts(clause, outcomes, texts, record, named)


def _of_texts(clause: Node, outcomes: list[Outcome], texts: Texts, record: Record, named: Named) -> list[Outcome]:
    holds = all(each.holds for each in outcomes) and not named.origins
    if holds and clause.kind not in ("no-problem", "no-finding"):
        return outcomes
    if not texts.all:
        return outcomes
    try:
        return [*_of_items(clause, outcomes, texts, record, named)]
    except UnclearError as error:
        return [unsupported("clear", str(error))]


def _of_answers(clause: Node, outcomes: list[Outcome], texts: Texts, record: Record) -> Iterator[Outcome]:
    """What no entry answers, the newest text of the time does that answers the same question."""
    told = social.told(clause, record)
    for outcome in outcomes:
        if outcome.check != social.ANSWER:
            yield outcome
            continue
        node, spans, labels = next(told)
        yield outcome if outcome.holds else _answer(social.wanted(node, labels), spans, texts, record) or outcome


def _answer(wanted: Mapping[str, set[str]], spans: Sequence[Span], texts: Texts, record: Record) -> Outcome | None:
    for question, own in wanted.items():
        for spoken in texts.answering(question):
            if not all(_includes(span, spoken.day, record) for span in spans):
                continue
            stated = set[str]()
            for each in texts.assertions(spoken, record):
                if each.kind in _ANSWERED and not each.whens:
                    stated |= _stated(each.node, question, record)
            if stated:
                agrees = not stated.isdisjoint(own)
                return Outcome("text", Verdict.SUPPORTED, "", (spoken.fact_id,)) if agrees else _contradicted(spoken)
    return None


def _stated(clause: Node, question: str, record: Record) -> set[str]:
    """The answers to a question that a clause tells."""
    answered = (social.wanted(node, labels) for node, _, labels in social.told(clause, record))
    return {answer for each in answered for answer in each.get(question, ())}


def restated(sentence: str, record: Record) -> Outcome | None:
    """A text of these days that has the very words."""
    if record.cited:
        return None
    texts = of(record)
    spoken = texts.restated(sentence)
    if spoken is None or not _is_recent(spoken.day, record):
        spoken = _paraphrased(sentence, texts, record)
    return Outcome("text", Verdict.SUPPORTED, "", (spoken.fact_id,)) if spoken else None


def _paraphrased(sentence: str, texts: Texts, record: Record) -> Said | None:
    """The newest sentence that says the same in nearly the same words, of the same time."""
    other = _content(_FRAME.sub("", sentence), record.today, record)
    try:
        spans = [span for when in other.whens for span in meaning.spans(when, record)]
    except UnclearError:
        return None

    oldest, today = record.sources.last_seen - timedelta(RECENT), record.today

    def is_near(text: Text) -> bool:
        if other.origins:
            return all(_is_from(origin, text) for origin in other.origins)
        return oldest <= text.day <= today or (bool(spans) and all(span.includes(text.day) for span in spans))

    # What denies or doubts one part says nothing of its neighbours.
    most = 1 if other.scope else len(_TOLD.split(sentence))
    alike = texts.alike(other, is_near, record)
    return next((each for each in alike if _restates(each, other, most, spans, record)), None)


def _content(words: str, day: date, record: Record) -> Content:
    return paraphrase.content(grammar().phrases(tokens.tokens(words, day, record.known)))


def _restates(spoken: Said, other: Content, most: int, spans: Sequence[Span], record: Record) -> bool:
    planned = any(not _PLANS.isdisjoint(_words(line)) for line in spoken.piece.block.above)
    if planned or not _is_plain(spoken.piece):
        return False
    wholes = (_content(words, spoken.day, record) for words in _runs(spoken.piece.words, most))
    return any(paraphrase.says(each, other) and _at_one_time(each, other, spans, spoken, record) for each in wholes)


def _runs(words: str, most: int) -> Iterator[str]:
    """Each row of parts of a sentence, of no more parts than what is held against it has."""
    parts = _CUT.split(words.rstrip("."))
    for length in range(1, min(len(parts), most, _LONGEST_RUN) + 1):
        yield from (", ".join(parts[at : at + length]) for at in range(len(parts) - length + 1))


def _at_one_time(text: Content, other: Content, spans: Sequence[Span], spoken: Said, record: Record) -> bool:
    """Each day that is said is the text's, or one that it names; since and until a day, it names it so."""
    lengths = {each for when in other.whens for each in Content(whens=(when,)).lengths}
    days = [reading for when in text.whens for reading in _days(when, spoken, record)] or [(spoken.day, spoken.day)]
    bounds = {when.says("time") for when in text.whens}
    return lengths <= text.lengths and all(
        any(span.includes(day) for interval in days for day in interval) and span.relation in bounds
        if span.relation in ("since", "until")
        else any(_includes(span, day, record) for interval in days for day in interval)
        for span in spans
    )


def _of_items(clause: Node, outcomes: list[Outcome], texts: Texts, record: Record, named: Named) -> Iterator[Outcome]:
    for one in _single(clause):
        own = compare(one, record) if one is not clause else outcomes
        yield from _of_one(one, own, texts, record, named)


def _single(clause: Node) -> list[Node]:
    """An assertion of several findings as one of each."""
    found = items(clause) if clause.kind in _BY_ITEM else []
    if len(found) < 2:
        return [clause]
    kept = {role: nodes for role, nodes in clause.roles.items() if role not in ("observed", "conditions", "findings")}
    return [replace(clause, roles={**kept, "conditions": (each,)}) for each in found]


def _of_one(clause: Node, outcomes: list[Outcome], texts: Texts, record: Record, named: Named) -> list[Outcome]:
    asserted = signature.of(clause)
    if clause.kind in _SEEN and not asserted.films:
        asserted = replace(asserted, films=named.films)
    agreeing, against = None, None
    for spoken in _candidates(asserted, texts, record):
        for other in texts.assertions(spoken, record):
            if agreeing is None and _supports(other, asserted, spoken, record, named):
                agreeing = spoken
            if against is None and _opposes(other, asserted, spoken, record):
                against = spoken
    if against is not None and (agreeing is None or against.day >= agreeing.day):
        return [_contradicted(against)]
    if all(each.holds for each in outcomes) and not named.origins:
        return outcomes
    return [Outcome("text", Verdict.SUPPORTED, "", (agreeing.fact_id,))] if agreeing else _refused(outcomes)


def _refused(outcomes: list[Outcome]) -> list[Outcome]:
    if all(each.holds for each in outcomes):
        return [unsupported("source", "no such text says so")]
    return outcomes


def _contradicted(spoken: Said) -> Outcome:
    words = " ".join(spoken.piece.words.split())
    return contradicted("text", f"the text of {spoken.day} says “{words}”")._replace(fact_ids=(spoken.fact_id,))


def _candidates(asserted: Assertion, texts: Texts, record: Record) -> Iterator[Said]:
    first = next(iter(asserted.items), None)
    yield from texts.near(first.own if first else asserted.rest, record)


def _supports(other: Assertion, asserted: Assertion, spoken: Said, record: Record, named: Named) -> bool:
    return (
        other.entails(asserted)
        and all(item.own.words <= _ANY.union(spoken.words) for item in asserted.items)
        and _same_sides(asserted, spoken)
        and all(_is_from(origin, spoken) for origin in (*named.origins, *asserted.origins))
        and all(_is_on(film, spoken) for film in asserted.films)
        and _agrees_in_time(asserted, other, spoken, record, named)
    )


def _opposes(other: Assertion, asserted: Assertion, spoken: Said, record: Record) -> bool:
    """One says that there is what the other denies, of the same time."""
    kinds = {other.kind, asserted.kind}
    if kinds != {_PRESENT, _ABSENT} or asserted.rest.names or not _is_about_now(asserted, spoken, record):
        return False
    denial, affirmed = (other, asserted) if other.kind == _ABSENT else (asserted, other)
    return any(one.own.denies(two.own) for one in denial.items for two in affirmed.items)


def _is_about_now(asserted: Assertion, spoken: Said, record: Record) -> bool:
    if not asserted.whens:
        return not asserted.is_past and _is_recent(spoken.day, record)
    return all(_includes(span, spoken.day, record) for when in asserted.whens for span in meaning.spans(when, record))


def _agrees_in_time(asserted: Assertion, other: Assertion, spoken: Said, record: Record, named: Named) -> bool:
    days = [reading for when in other.whens for reading in _days(when, spoken, record)] or [(spoken.day, spoken.day)]
    if not asserted.whens:
        told = asserted.node.kind in _LASTING or asserted.is_past or bool(named.origins or asserted.origins)
        return told or _is_recent(spoken.day, record)
    written = {each for when in other.whens for each in (when.text.lower(), _length(when))}
    whens = [each for when in asserted.whens for each in _singly(when)]
    spans = {
        when: meaning.spans(when, record) for when in whens if {when.text.lower(), _length(when)}.isdisjoint(written)
    }
    named_day = bool(spans) and all(_includes(span, spoken.day, record) for each in spans.values() for span in each)
    for when in whens:
        if when not in spans and (named_day or _is_recent(spoken.day, record) or when.within("date")):
            continue
        for span in spans.get(when) or meaning.spans(when, record):
            if not any(_includes(span, day, record) for interval in days for day in interval):
                return False
    return True


def _length(when: Node) -> float | str:
    """How long a time is that is told by its length: for three days, a three-day history of."""
    return meaning.days(when.all("duration")[0]) if when.says("time") == "span" else when.text.lower()


def _singly(when: Node) -> tuple[Node, ...]:
    """The times of which one is made: for six years, as of March 2024."""
    parts = (*when.all("first"), *when.all("second")) if when.says("time") == "both" else ()
    return tuple(each for part in parts for each in _singly(part)) or (when,)


def _days(when: Node, spoken: Said, record: Record) -> list[tuple[date, date]]:
    """The days that a text means, from its own day on."""
    if when.says("time") == "ago":
        duration = meaning.days(when.all("duration")[0])
        return list(_around(spoken.day, duration))
    if when.says("time") in ("now", "yesterday", "this-unit", "last-unit", "span"):
        return [(spoken.day, spoken.day)]
    try:
        return [reading for span in meaning.spans(when, record) for reading in span.readings]
    except UnclearError:
        return []


def _around(day: date, distance: float) -> tuple[tuple[date, date], ...]:
    middle = day - timedelta(distance)
    return ((middle, middle),)


def _includes(span: Span, day: date, record: Record) -> bool:
    if span.relation == "now":
        return _is_recent(day, record)
    return span.relation in ("on", "between") and span.includes(day)


def _is_recent(day: date, record: Record) -> bool:
    return day <= record.today and record.sources.last_seen - day <= timedelta(RECENT)


def _same_sides(asserted: Assertion, spoken: Said) -> bool:
    """A side is one that the text's sentence names, and the only one."""
    return not asserted.sides or asserted.sides == signature.sides_of(spoken.piece.words)


def _is_from(origin: Node, spoken: Said | Text) -> bool:
    """Whether a text is the one that is named: its day, and what it is called."""
    dates = [date_node.value for date_node in origin.within("date")]
    named = {word for word in _words(origin.text) if word in signature.KINDS_OF_TEXTS}
    return all(each.includes(spoken.day) for each in dates) and named <= spoken.header


def _is_on(film: Node, spoken: Said) -> bool:
    """Whether a text speaks of such a film."""
    wanted = signature.films_of(_words(film.text))
    here = signature.films_of((*spoken.header, *spoken.words))
    return wanted - {"film"} <= here and bool(here)


def _named(clause: Node, texts: Texts) -> Outcome:
    """A text that is named; of one that is quoted, the very words."""
    quotes = [" ".join(str(each.value).split()).casefold() for each in clause.all("quote")]
    for text in texts.all:
        here = " ".join(text.text.split()).casefold()
        if all(_is_from(origin, text) for origin in clause.all("origin")) and all(each in here for each in quotes):
            return Outcome("source", Verdict.SUPPORTED, "", (text.fact_id,))
    return unsupported("source", "the record has no such text")


def _of_parts(piece: Piece, record: Record) -> tuple[Node, ...]:
    """Of a sentence that is not read whole: its parts, unless a word of those that are not read may reach over them."""
    if not _is_plain(piece):
        return ()
    words, (wide, narrow) = piece.words.rstrip("."), _PARTS
    read: list[Node] = []
    unread: list[str] = []
    for part in wide.split(words):
        whole = read_sentence(part, record).clauses if part != words else ()
        read += whole
        for small in () if whole else narrow.split(part):
            clauses = read_sentence(small, record).clauses
            read += clauses
            unread += () if clauses else _words(small)
    if _SCOPE.intersection(unread):
        return ()
    return tuple(each for each in read if each.kind == "relative" or not facts.is_family_history_text(words))


def _is_plain(piece: Piece) -> bool:
    """Whether nothing above turns what it says."""
    kinds = [section(line) for line in piece.block.above]
    return all(kind is not None and not kind.lead for kind in kinds) and not piece.words.endswith("?")


def _texts(sources: Sources) -> Iterator[Text]:
    return (each for each in _written(sources) if not speaks_to_software(each.text))


def _written(sources: Sources) -> Iterator[Text]:
    for note in sources.notes:
        if note.HasField("authored_at"):
            yield Text(note.fact_id, facts.moment(note.authored_at).date(), note.title, note.text)
    for fact in sources.current:
        started = facts.starts_on(fact) if fact.text.count(" ") > _REPORT else None
        if started:
            yield Text(fact.fact_id, started, facts.name_of(fact), fact.text)


def _words(text: str) -> list[str]:
    return [word_of(match.group()) for match in _WORD.finditer(text) if match.group().casefold() not in _ARTICLES]


_ARTICLES = frozenset({"the", "a", "an"})


@cache
def _beginnings() -> dict[str, set[str]]:
    """By key, the first words of the names that every text may hold."""
    found: dict[str, set[str]] = defaultdict(set)
    for known in names.everywhere():
        for key, words in known.beginnings().items():
            found[key] |= words
    return found
