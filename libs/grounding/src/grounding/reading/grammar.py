"""The grammar: tokens to phrases, level by level, and phrases to clauses that cover a sentence whole.

Guarantee: a sentence is read only if clauses and what joins them cover every token of it; else it is told up to which
token it could be read. The same sentence is always read in the same way: of phrases that begin together the longest,
of readings that cover the sentence the one of the fewest clauses, then the one whose rows stand first.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, reduce
from heapq import heapify, heappop, heappush
from itertools import chain, groupby, product
from operator import or_

from grounding.reading import frames, names, tables, tokens
from grounding.reading.arranging import arranged
from grounding.reading.nodes import Node
from grounding.reading.patterns import Alphabet, Pattern

_WORDS = ("group", "words")
_PHRASES = ("level", "kind", "pattern", "sets", "reads")
_CLAUSES = ("kind", "pattern", "sets", "reads", "not")
_PARTS = ("part", "pattern")
_PART = re.compile(r"\{([\w-]+)\}")
ADJUNCT, LEAD = "adjunct", "lead"
# What a clause says that may leave out its subject: in which roles that stands in the clause before it, which is then
# its antecedent (`amlodipine was started in June and stopped in July`).
SUBJECT, ANTECEDENT = "subject", "antecedent"
# The clause before one whose result is left out, and the part that tells the result.
PRIOR, RESULT = "prior", "obs"
# It stands for the last result that is told of, also behind clauses about something else.
_IT = "it"
# The clause whose verb is left out, and the kinds of drugs' clauses of which it may be.
GAPPED = "gapped"
_SHARED = frozenset(("started", "took", "given", "stopped"))
# What was given for a problem stands between it and how it ended.
_GIVEN = frozenset(("started", "took", "given"))
# What is told in passing of what stands before it: `headache, with a temperature of 37.9 °C, resolved in May`.
_PASSING = frozenset(("elided", "measured"))
# What happened or was there, on each of several days: `had a headache in May and a migraine in June`.
_TOLD = frozenset(("event", "problem"))
_SAID = frozenset(("past",))
# What is told to have happened; what a clause was for.
WHAT, AIM = "what", "aim"
# Said of a name that shares the verb of the clause before; which clause it makes by its kind, behind which clauses.
MORE = "more"
_MORE = {"regimens": "took", "acts": "event", "cares": "care-plan"}
_DONE = frozenset(("care-plan", "done-for", "event", "given", "started", "took", "treated"))
JOINT, HEAD, TAIL, SECTION, QUESTION = "joint", "head", "tail", "section", "question"
# What stands before or behind any clause and says where, under what or for what it was.
BESIDE = "beside"
# What makes a clause tell when the one that it belongs to was: how it relates to that, and where it stands.
SUBORDINATE, RELATES, LEADS = "subordinate", "relates", "leads"
_NOT_CLAUSES = (JOINT, HEAD, TAIL, SECTION, QUESTION, BESIDE, SUBORDINATE)
# What a clause has from those around it, however its own parts are bound.
AROUND = (ADJUNCT, ANTECEDENT, LEAD, AIM, RELATES)


# What asserts the same wherever it stands.
_FREE = frozenset(("elided", "measured", "normal-finding", "social", "household"))
# What a clause costs a reading, where a time beside one costs 1.
_CLAUSE = 2
_WITH = "with"
# A course that tells by how much.
_CHANGED = frozenset({"changed-by"})
# What stands beside a clause and says when, or in which circumstances.
_ADJUNCTS = ("when", "circumstance", "tally", "past", "days")
# A clause that says when itself is not told so by what leads the sentence.
_OWN_TIME = frozenset(("when", "on", "first", "birth", "end", "toat", "fromat"))


_AUXILIARIES = frozenset(("was", "were", "been", "got"))
# What is told of who the patient is, and may be followed by more of it.
_INTRODUCING = frozenset(("person", "problem", "history", "undergoing"))
# What says of a plan that it is one.
_PLANNED = frozenset(("planned", "arranged"))
# How patterns begin: with a time, with their subject, or where the subject is that of the clause before.
_TIME_FIRST, _SUBJECT_FIRST, _LEFT_OUT = "( <when> ( , )? )? ", "<obs> ", ".. "
# What may stand for the subject.
_PRONOUN = "( it | which | this | these | they | ( her | his | the | its | their ) @scoreword )? "

# What may stand between what leads a sentence and the clauses.
_BEHIND_LEAD = frozenset((",", ":", "–", "-", "—"))
# What may begin a joint: a clause may end before it, although its row could reach over it.
_JOINING = frozenset((",", ";", ":", "(", "and", "but", "with"))
# A time that leads the sentence is not told of a course whose ends have their own.
_ENDS = ("fromat", "toat")
# Phrases that may reach too far. What bounds or denies is never taken apart.
_PARTED = frozenset(
    ("acts", "anchor", "circumstance", "conditions", "days", "obs", "observed", "ordered", "regimens", "results",
     "visit", "when")
)  # fmt: skip
# How many other ways to make phrases are tried.
_TRIES = 4
# Characters from and up to.
_Span = tuple[int, int]
# So many nodes are covered, and whether the last of them belong to a clause.
_Place = tuple[int, bool]
# Where a match begins, and minus where it ends; the place of its row, and the match.
_Found = tuple[int, int, int, "re.Match[str]"]
_Match = tuple["Production", "re.Match[str]", int]


@dataclass(frozen=True, slots=True)
class _Cover:
    """How many clauses and adjuncts cover the nodes so far; the clauses, and what leads those that follow, or only the
    next.
    """

    cost: int = 0
    clauses: tuple[Node, ...] = ()
    lead: tuple[Node, ...] = ()
    once: tuple[Node, ...] = ()
    # How the next clause relates to the one that it belongs to.
    relates: str = ""


@dataclass(frozen=True)
class Production:
    """A row: what it makes of what, and what it says itself."""

    kinds: frozenset[str]
    pattern: Pattern
    sets: Mapping[str, str]
    line: int
    reads: str = ""
    never: str = ""

    @property
    def kind(self) -> str:
        return min(self.kinds)


class _Rows:
    """Rows in their order, by a character that each of them needs: of a thousand few may match a sentence."""

    def __init__(self, rows: Sequence[Production]) -> None:
        self._rows = rows
        self._needing: dict[str, list[int]] = defaultdict(list)
        self._always: list[int] = []
        # What rows require, numbered: a bit for each. Which of it a character meets; and what each row requires.
        bits = {needed: 1 << number for number, needed in enumerate({n for row in rows for n in row.pattern.required})}
        self._met: dict[str, int] = defaultdict(int)
        for needed, bit in bits.items():
            for character in needed:
                self._met[character] |= bit
        self._required = [reduce(or_, map(bits.__getitem__, row.pattern.required), 0) for row in rows]
        for place, row in enumerate(rows):
            required = min(row.pattern.required, key=len, default=None)
            for character in required or ():
                self._needing[character].append(place)
            if required is None:
                self._always.append(place)

    def that_may(self, present: set[str]) -> list[tuple[int, Production]]:
        """Those of which all that they need is there, with their places."""
        places = set(self._always)
        met = 0
        for character in present:
            met |= self._met.get(character, 0)
            places.update(self._needing.get(character, ()))
        missing = ~met
        return [(place, self._rows[place]) for place in sorted(places) if not self._required[place] & missing]


@dataclass(frozen=True)
class Grammar:
    alphabet: Alphabet
    levels: tuple[tuple[Production, ...], ...]
    clauses: tuple[Production, ...]
    # What stands between two clauses, before one and behind one.
    joints: tuple[Production, ...]
    heads: tuple[Production, ...]
    tails: tuple[Production, ...]
    # What stands beside a clause, before or behind it; what makes one subordinate.
    besides: tuple[Production, ...] = ()
    subordinates: tuple[Production, ...] = ()
    # Clauses behind another whose subject they share and leave out: `rose to 2.1 and fell to 1.8`.
    carried: tuple[Production, ...] = ()
    # Lines that lead others and questions: they assert nothing.
    sections: tuple[Production, ...] = ()
    questions: tuple[Production, ...] = ()
    # Clauses whose parts may stand in any order.
    frames: "frames.Frames | None" = None

    def line_of(self, nodes: Sequence[Node], rows: Iterable[Production]) -> Node | None:
        """A line that is one of these rows and nothing more."""
        text = self._text(nodes)
        matches = ((row, row.pattern.compiled.fullmatch(text)) for row in rows)
        return next((self._made(row, match, nodes) for row, match in matches if match and nodes), None)

    def phrases(self, nodes: Sequence[Node], parted: frozenset[_Span] = frozenset()) -> list[Node]:
        """Every level's phrases in place of what they are made of; none of just these characters (`parted`)."""
        made = list(nodes)
        for rows in self._phrases:
            made = self._reduced(made, rows, parted)
        return made

    def read(self, tokens: Sequence[Node]) -> tuple[tuple[Node, ...], list[Node], int]:
        """The clauses of a sentence; its phrases, and up to which of them it could be read where there are none.

        A phrase that reaches too far (`on 5 May, the same day` before a clause) is taken apart where reading stops.
        """
        nodes = self.phrases(tokens)
        clauses, at = self.clauses_of(nodes)
        tried, parted, place, there = 0, frozenset[_Span](), at, nodes
        while not clauses and tried < _TRIES:
            spans = [each for each in _far(there, place) if each not in parted]
            if not spans:
                break
            others = []
            for span in spans[: _TRIES - tried]:
                tried += 1
                others.append((span, *self._parted(tokens, parted | {span})))
                if others[-1][1]:
                    return others[-1][1], nodes, at
            span, _, there, place = max(others, key=lambda each: _reached(each[2], each[3]))
            parted |= {span}
        return clauses, nodes, at

    def _parted(self, tokens: Sequence[Node], parted: frozenset[_Span]) -> tuple[tuple[Node, ...], list[Node], int]:
        nodes = self.phrases(tokens, parted)
        clauses, at = self.clauses_of(nodes)
        return clauses, nodes, at

    @cached_property
    def _phrases(self) -> tuple[_Rows, ...]:
        return tuple(map(_Rows, self.levels))

    @cached_property
    def _whole(self) -> _Rows:
        return _Rows(self.clauses)

    @cached_property
    def _going(self) -> _Rows:
        return _Rows(self.carried)

    @cached_property
    def _beside(self) -> _Rows:
        return _Rows(self.besides)

    @cached_property
    def _before(self) -> _Rows:
        return _Rows((*self.heads, *self.subordinates))

    @cached_property
    def _behind(self) -> _Rows:
        return _Rows((*self.tails, *self.joints, *self.subordinates))

    def clauses_of(self, nodes: Sequence[Node]) -> tuple[tuple[Node, ...], int]:
        """The clauses that cover the nodes, or none and the place up to which they could be read.

        Where no rows cover them, clauses whose parts stand in another order are read too.
        """
        clauses, at = self._covering(nodes, framed=False)
        return self._covering(nodes, framed=True) if nodes and not clauses else (clauses, at)

    def _covering(self, nodes: Sequence[Node], *, framed: bool) -> tuple[tuple[Node, ...], int]:
        text = self._text(nodes)
        present = set(text)
        rows = [row for _, row in self._whole.that_may(present)]
        carried = [row for _, row in self._going.that_may(present)]
        marks = {
            behind: [row for _, row in rows.that_may(present)]
            for behind, rows in ((False, self._before), (True, self._behind))
        }
        besides = [row for _, row in self._beside.that_may(present)]
        ends = [place for place, node in enumerate(nodes) if node.text in _JOINING]
        best: dict[_Place, _Cover] = {(0, False): _Cover()}
        for at, behind in product(range(len(nodes)), (False, True)):
            state = best.get((at, behind))
            if state is None:
                continue
            # Behind a clause, without a joint, only what says itself how it goes on.
            own = [row for row in rows if row.sets.get("joined")] if behind else rows
            begun = self._begun(nodes, state, _matches(own, text, at, ends), pending=framed)
            shared = _spoken_of(state.clauses if nodes[at].text == _IT else state.clauses[-1:])
            ways = [row for row in carried if row.sets.get("joined")] if behind else carried
            going_on = self._going_on(nodes, state, _matches(ways, text, at), shared) if shared else ()
            beside = () if state.relates else self._adjuncts(nodes, text, at, state, besides, behind=behind)
            free = self._framed(nodes, state, at, shared) if framed and not behind else ()
            passed = (
                ((end, row.kind == TAIL), _passed(state, row))
                for row, _, end in _matches(() if state.relates else marks[behind], text, at)
            )
            for place, cover in chain(passed, beside, begun, going_on, free):
                _keep(best, place, cover)
        whole = best.get((len(nodes), True))
        clauses = _in_order(whole.clauses) if whole else ()
        return (clauses, len(nodes)) if clauses else ((), max(at for at, _ in best))

    def _begun(
        self, nodes: Sequence[Node], state: _Cover, matches: Iterable[_Match], *, pending: bool
    ) -> Iterator[tuple[_Place, _Cover]]:
        """One more clause behind those of a state; the first may leave out the subject of the next (`pending`)."""
        for row, match, end in matches:
            made = self._made(row, match, nodes)
            node = _gapped(_completed(made, state.clauses), state.clauses)
            node = made if node is None and pending and not state.clauses else node
            if node is not None and (state.once or _may_follow(node, state.clauses)):
                opens = row.sets.get("opens")
                along = self._along(node, nodes, match.start(), state)
                cover = _with(state, along, led=_is_led(state, nodes[: match.start()]))
                # What introduces is followed by what it introduces; who the patient is may be.
                if opens:
                    yield (end, False), cover
                if opens in (None, "may"):
                    yield (end, True), cover

    def _along(self, node: Node, nodes: Sequence[Node], at: int, state: _Cover) -> Node:
        """A value that comes with something (`with a score of 3`) is of its time, unless it tells its own."""
        is_along = at and nodes[at - 1].text == _WITH and state.clauses and node.kind == "measured"
        if not is_along or any(node.within("when")):
            return node
        beside = state.clauses[-1].all(ADJUNCT) or tuple(state.clauses[-1].within("when"))
        return _told(node, before=beside) if beside else node

    def _going_on(
        self, nodes: Sequence[Node], state: _Cover, matches: Iterable[_Match], shared: tuple[Node, Node]
    ) -> Iterator[tuple[_Place, _Cover]]:
        """One more clause of the same subject as the one that tells it."""
        subject, prior = shared
        for row, match, end in matches:
            made = self._made(row, match, nodes)
            roles = {**made.roles, RESULT: (subject,), PRIOR: (prior,)}
            told = replace(made, parts=(subject, *made.parts), roles=roles)
            yield (end, True), _with(state, told, led=_is_led(state, nodes[: match.start()]))

    def _framed(
        self, nodes: Sequence[Node], state: _Cover, at: int, shared: tuple[Node, Node] | None
    ) -> Iterator[tuple[_Place, _Cover]]:
        """One more clause whose parts stand in any order, or one more thing of the clause before."""
        more = _one_more(nodes[at], state.clauses[-1]) if state.clauses else None
        if more is not None:
            yield (at + 1, True), _with(replace(state, lead=()), more, led=False)
        for end, made in self.frames.clauses(nodes, at) if self.frames else ():
            whole = _carried(made, shared)
            node = _completed(whole, state.clauses) if whole else None
            if node is not None and not (_is_led(state, nodes[:at]) and any(map(node.all, _ENDS))):
                yield (end, True), _with(state, node, led=_is_led(state, nodes[:at]))

    def _adjuncts(
        self, nodes: Sequence[Node], text: str, at: int, state: _Cover, rows: Iterable[Production], *, behind: bool
    ) -> Iterator[tuple[_Place, _Cover]]:
        """What stands before the clauses that it is of, or behind the one that it is of: a time, a circumstance."""
        first = at + (behind and nodes[at].text == "," and at + 1 < len(nodes))
        if any(self.alphabet.is_of_kind(nodes[first], kind) for kind in _ADJUNCTS):
            yield from self._adjunct(nodes, at, first + 1, nodes[first], state, behind=behind)
        for row, match, end in _matches(rows, text, first):
            made = self._made(row, match, nodes)
            yield from self._adjunct(nodes, at, end, replace(made, kinds=_beside_as(made)), state, behind=behind)

    def _adjunct(
        self, nodes: Sequence[Node], at: int, end: int, node: Node, state: _Cover, *, behind: bool
    ) -> Iterator[tuple[_Place, _Cover]]:
        """One thing beside a clause, up to `end`."""
        if AIM in node.kinds:
            if behind:
                *others, last = state.clauses
                last = replace(last, end=node.end, roles={**last.roles, AIM: (*last.all(AIM), *node.all(AIM))})
                yield (end, True), replace(state, cost=state.cost + 1, clauses=(*others, last))
            return
        if behind and node.says(LEADS):
            # `At seven she was given ...`; behind a clause a number may be a value.
            return
        if behind:
            told = _told_behind(state, node) if _is_of_clause(node, state.clauses[-1]) else _with_condition(state, node)
            yield (end, True), _Cover(state.cost + 1, told, state.lead)
            return
        if state.clauses and node.text.startswith("("):
            # `With hypertension (2003), migraine and ...`: of what stands before it, and not of what follows.
            return
        # `Since the last encounter:` leads what is new.
        marks = "," if node.text.casefold().startswith("since ") else _BEHIND_LEAD
        end += end < len(nodes) and nodes[end].text in marks
        # Another time behind a joint takes the place of the one that leads the sentence.
        fresh = not state.clauses or nodes[at - 1].kinds.isdisjoint(_ADJUNCTS)
        lead = (node,) if fresh and state.clauses else (*state.lead, node)
        yield (end, False), _Cover(state.cost + 1, state.clauses, lead)

    def _reduced(self, nodes: list[Node], rows: _Rows, parted: frozenset[_Span]) -> list[Node]:
        text = self._text(nodes)
        level = dict(rows.that_may(set(text)))
        queue = [found for order, row in level.items() if (found := _next(row, order, text, 0))]
        heapify(queue)
        made, at = [], 0
        while queue:
            start, _, order, match = heappop(queue)
            if parted and (nodes[start].start, nodes[match.end() - 1].end) in parted:
                _push(queue, _next(level[order], order, text, start + 1))
                continue
            if start >= at:
                made += [*nodes[at:start], self._made(level[order], match, nodes)]
                at = match.end()
            _push(queue, _next(level[order], order, text, at))
        return [*made, *nodes[at:]]

    def _made(self, row: Production, match: "re.Match[str]", nodes: Sequence[Node]) -> Node:
        start, end = match.span()
        parts = tuple(nodes[start:end])
        roles: dict[str, tuple[Node, ...]] = {}
        taken = set()
        for role, place in zip(row.pattern.named, range(1, len(row.pattern.named) + 1), strict=True):
            if match.start(place) >= 0:
                roles[role] = (*roles.get(role, ()), nodes[match.start(place)])
                taken.add(match.start(place))
        rest = [node for place, node in enumerate(parts, start) if place not in taken]
        for kind in (each for kinds in row.pattern.kinds for each in kinds.split("|")):
            of_kind = tuple(node for node in rest if self.alphabet.is_of_kind(node, kind))
            if of_kind:
                roles[kind] = (*roles.get(kind, ()), *of_kind)
        kinds = row.kinds
        if row.sets.get("ends"):
            roles = arranged(parts, roles)
            kinds = _CHANGED if roles.keys() & {"by", "part"} else kinds
        text = " ".join(part.text for part in parts)
        return Node(text, parts[0].start, parts[-1].end, kinds, parts, roles, row.sets)

    def _text(self, nodes: Iterable[Node]) -> str:
        return "".join(
            self.alphabet.kinds(node.kinds) if node.kinds else self.alphabet.known_word(node.text) for node in nodes
        )


def _far(nodes: Sequence[Node], at: int) -> list[_Span]:
    """The phrases around the place where reading stopped."""
    near = (nodes[place] for place in (at, at - 1, at + 1, at + 2, at + 3) if 0 <= place < len(nodes))
    return [(node.start, node.end) for node in near if node.kinds & _PARTED and len(node.parts) > 1]


def _reached(nodes: Sequence[Node], at: int) -> int:
    return nodes[at].start if at < len(nodes) else nodes[-1].end


def _next(row: "Production", order: int, text: str, at: int) -> _Found | None:
    """The first match of a row from here on, if there is one."""
    match = row.pattern.compiled.search(text, at)
    if match and match.end() == match.start():
        match = next((each for each in row.pattern.compiled.finditer(text, at) if each.end() > each.start()), None)
    return (match.start(), -match.end(), order, match) if match else None


def _push(queue: list[_Found], match: _Found | None) -> None:
    if match:
        heappush(queue, match)


def _matches(rows: Iterable[Production], text: str, at: int, ends: Sequence[int] = ()) -> Iterator[_Match]:
    """The rows that match something from here, with the end of it: as far as they reach, and up to each of `ends`."""
    for row in rows:
        match = row.pattern.compiled.match(text, at)
        if not match or match.end() <= at:
            continue
        yield row, match, match.end()
        for end in ends:
            shorter = row.pattern.compiled.fullmatch(text, at, end) if at < end < match.end() else None
            if shorter:
                yield row, shorter, end


def _keep(best: dict[_Place, _Cover], place: _Place, new: _Cover) -> None:
    if place not in best or new.cost < best[place].cost:
        best[place] = new


def _one_more(node: Node, before: Node) -> Node | None:
    """A name of another kind behind a clause whose verb it shares: `was treated with ibuprofen and a care plan`.

    It was given or done on the day of that clause. None where that clause does not tell of what was given or done.
    """
    kind = next((_MORE[each] for each in node.kinds if each in _MORE), None)
    own = {each.kind for role in ("regimens", WHAT) for each in before.all(role)}
    if kind is None or before.kind not in _DONE or before.says("order") or node.kinds & own:
        return None
    day = _same_day(node.end)
    role = "regimens" if kind == "took" else WHAT
    roles = {role: (node,), ADJUNCT: (day,)}
    return Node(node.text, node.start, node.end, frozenset({kind}), (node, day), roles, {MORE: "yes"})


def _carried(made: Node, shared: tuple[Node, Node] | None) -> Node | None:
    """A clause with the result of the one before it where it leaves out its own; None where there is no such one."""
    if not made.says(frames.CARRIED):
        return made
    if shared is None:
        return None
    subject, prior = shared
    ways = tuple(filter(None, (_carried(each, shared) for each in made.all(frames.OTHERWISE))))
    sets = {name: said for name, said in made.sets.items() if name != frames.CARRIED}
    roles = {**made.roles, RESULT: (subject,), PRIOR: (prior,), frames.OTHERWISE: ways}
    return replace(made, parts=(subject, *made.parts), roles=roles, sets=sets)


def _with(state: _Cover, clause: Node, *, led: bool) -> _Cover:
    """One more clause, which is told by what leads the sentence where it does not say when itself.

    `led`: it stands directly behind that, which is then true of it beside its own time. What goes on now, of what the
    clause before it tells, is not told by it (in May 2020 she had X, which remains active).
    """
    lead = () if clause.says("now") and clause.all(ANTECEDENT) else state.once or state.lead
    own_days = any("days" in own.kinds for role in _OWN_TIME for own in clause.all(role))
    if lead and state.clauses and own_days and not led and not clause.all(ANTECEDENT):
        lead = ()
    if lead and all("days" in own.kinds for role in _OWN_TIME for own in clause.all(role)):
        clause = _told(clause, before=lead)
    elif led and lead:
        clause = replace(clause, roles={**clause.roles, LEAD: state.lead})
    if state.relates:
        sets = {"time": state.relates, **({} if state.clauses else {LEADS: "yes"})}
        clause = replace(clause, roles={**clause.roles, RELATES: (Node("", clause.start, clause.start, sets=sets),)})
    return _Cover(state.cost + _CLAUSE, (*state.clauses, clause), state.lead)


def _in_order(clauses: tuple[Node, ...]) -> tuple[Node, ...]:
    """The clauses, of which the first follows the next where that tells its subject: `Begun in May, amlodipine is ...`.

    None where the next one does not tell it.
    """
    first, *others = clauses
    if not first.says(SUBJECT) and (first.kind != "elided" or not others):
        return clauses
    told = _completed(first, others[:1])
    return (others[0], told, *others[1:]) if told and others else ()


def _is_led(state: _Cover, before: Sequence[Node]) -> bool:
    """Whether what leads the sentence is the last of what stands before a clause."""
    words = [node for node in before if node.text != ","]
    return bool(state.lead and words) and words[-1] is state.lead[-1]


def _passed(state: _Cover, mark: Production) -> _Cover:
    """Behind a mark; some (`with`) say that what follows is of the day of what stands before."""
    if mark.kind == SUBORDINATE:
        return replace(state, cost=state.cost + 1, relates=mark.sets["time"])
    if mark.sets.get("time") != "same" or not state.clauses:
        return state
    last = state.clauses[-1]
    whens = [each for role in ("when", "on", ADJUNCT) for each in last.all(role) if _is_dated(each)]
    once = [_day_of(each) for each in whens] or ([_same_day(last.end)] if mark.sets.get("day") else [])
    return replace(state, once=tuple(once[:1]))


def _beside_as(made: Node) -> frozenset[str]:
    """As what a row beside a clause is taken: a circumstance, an aim, or a time."""
    return frozenset({"circumstance" if made.all(WHAT) else AIM if made.all(AIM) else "when"})


def _same_day(place: int) -> Node:
    """The day that the clause before turns out to tell."""
    return Node("", place, place, frozenset({"when"}), sets={"time": "same", "unit": "day"})


def _is_dated(when: Node) -> bool:
    return when.says("time") in ("on", "same") or (when.says("time") == "since" and bool(when.all("date")))


def _day_of(when: Node) -> Node:
    """The day from which on something is so, as that day: `since 27 May, when ...`."""
    return replace(when, sets={**when.sets, "time": "on"}) if when.says("time") == "since" else when


def _told(clause: Node, before: tuple[Node, ...] = (), behind: tuple[Node, ...] = ()) -> Node:
    adjuncts = (*before, *clause.all(ADJUNCT), *behind)
    start, end = (min(each.start for each in (*before, clause)), max(each.end for each in (clause, *behind)))
    parts = (*before, *clause.parts, *behind)
    return replace(clause, start=start, end=end, parts=parts, roles={**clause.roles, ADJUNCT: adjuncts})


def _is_of_clause(node: Node, clause: Node) -> bool:
    """A year in brackets behind what a person has (`a woman with hypertension (2003)`) is not that of her age."""
    return not (node.text.startswith("(") and clause.kind == "person" and clause.all("conditions"))


def _with_condition(state: _Cover, when: Node) -> tuple[Node, ...]:
    """The clauses, and that the last condition of the last one began at this time."""
    listed = state.clauses[-1].all("conditions")[-1]
    condition = list(listed.within("condition"))[-1]
    alone = replace(listed, text=condition.text, start=condition.start, parts=(condition,), roles={})
    roles = {WHAT: (alone,), ADJUNCT: (when,)}
    parts, text = (alone, when), f"{alone.text} {when.text}"
    return (*state.clauses, Node(text, alone.start, when.end, frozenset({"event"}), parts, roles))


def _told_behind(state: _Cover, node: Node) -> tuple[Node, ...]:
    """The clauses, the last of them with what stands behind it; those whose verb it shares have it too."""
    *others, last = state.clauses
    if last.says(MORE) and others:
        return (*_told_behind(replace(state, clauses=tuple(others)), node), last)
    last = _untold(last, state.lead) if node.kind == "when" else last
    return (*others, _told(last, behind=(node,)))


def _untold(clause: Node, lead: tuple[Node, ...]) -> Node:
    """A clause without what leads the sentence, where it leaves out its subject and has a time of its own."""
    if not clause.all(ANTECEDENT):
        return clause
    kept = tuple(each for each in clause.all(ADJUNCT) if each not in lead)
    return replace(clause, roles={**clause.roles, ADJUNCT: kept})


def _completed(node: Node, before: Sequence[Node]) -> Node | None:
    """A clause with the subject of the one before it where it leaves out its own; None where there is no such one."""
    if not node.says(SUBJECT):
        return node
    subject = node.says(SUBJECT).split("|")
    node = replace(node, sets={name: value for name, value in node.sets.items() if name != SUBJECT})
    if any(map(node.all, subject)):
        return node
    roles = next(filter(None, (_left_out(each, subject) for each in _sharing(before))), {})
    return replace(node, roles={**node.roles, **roles, ANTECEDENT: tuple(before[-1:])}) if roles else None


def _sharing(before: Sequence[Node]) -> Iterator[Node]:
    """The clause before, and those before it whose subject it leaves out."""
    for each in reversed(before):
        yield each
        # What was done stands between: `Laceration on 3 May 2020, sutured, healed on 24 May`.
        is_deed = each.kind == "event" and each.roles.keys() <= {WHAT, "on", ANTECEDENT}
        is_deed = is_deed and all(part.kind == "acts" for part in each.parts)
        if not (is_deed or each.kind in _PASSING or each.kind in _GIVEN):
            return


def _left_out(before: Node, subject: Sequence[str]) -> dict[str, tuple[Node, ...]]:
    """What a clause leaves out, by role: as the clause before it has it, or where that tells that it happened."""
    roles: dict[str, tuple[Node, ...]] = {}
    for each in subject:
        role, _, source = each.partition("<")
        kinds = {source or role, (source or role).removesuffix("s")}
        what = tuple(node for node in before.all(WHAT) if not node.kinds.isdisjoint(kinds))
        roles[role] = roles.get(role) or before.all(source or role) or what
    return {role: nodes for role, nodes in roles.items() if nodes}


def _spoken_of(clauses: Sequence[Node]) -> tuple[Node, Node] | None:
    """The result that the last clause about one tells, without what tells which of its values is meant; that clause.

    None where there is no such clause, or where it tells of several results.
    """
    for clause in reversed(clauses):
        if clause.kind == "rated":
            return names.measured(clause.says("of")), clause
        named = {each.text: each for each in map(_plain, (*clause.all(RESULT), *_results(clause)))}
        if named:
            return (next(iter(named.values())), clause) if len(named) == 1 else None
    return None


def _results(clause: Node) -> Iterator[Node]:
    return (each for result in clause.within("result") for each in result.all(RESULT))


def _plain(node: Node) -> Node:
    inner = node.one("of")
    return _plain(inner) if inner is not None and RESULT in inner.kinds else node


def _gapped(node: Node | None, before: Sequence[Node]) -> Node | None:
    """A name with a time behind a clause whose verb it shares: `was given A in May and B in June`."""
    if node is None or not before or not _is_bare(node) or not _has_time(node):
        return node
    verb = before[-1]
    if node.kind == "listed" and verb.kind in _SHARED and _has_time(verb):
        sets = {name: said for name, said in verb.sets.items() if name != SUBJECT}
        return replace(node, kinds=verb.kinds, sets=sets, roles={**node.roles, GAPPED: (verb,)})
    if {node.kind, verb.kind} <= _TOLD and {*verb.sets, *node.sets} <= _SAID and _has_time(verb):
        return replace(node, roles={**node.roles, GAPPED: (verb,)})
    return node


def _has_time(node: Node) -> bool:
    return any(node.all(role) for role in ("when", "on", ADJUNCT))


def _may_follow(node: Node, before: Sequence[Node]) -> bool:
    """Whether a clause may stand behind others.

    A name alone (`metformin`) asserts what those before it list; it asserts for itself behind another name alone,
    behind who the patient is, and a problem behind one that the patient has.
    """
    while before and before[-1].kind in _PASSING and node.kind == "problem":
        before = before[:-1]
    free = (
        not before
        or not _is_bare(node)
        or bool(node.all(GAPPED) or node.all(ANTECEDENT))
        or not node.kinds.isdisjoint(_FREE)
    )
    listed = bool(before) and "problem" in node.kinds and "problem" in before[-1].kinds
    told_of = not before[-1:] or (not before[-1].kinds.isdisjoint(_INTRODUCING) and "person" in before[0].kinds)
    return (
        free
        or listed
        or told_of
        or _is_bare(before[-1])
        or "person" in before[-1].kinds
        or bool(before[-1].says("opens"))
    )


def _is_bare(node: Node) -> bool:
    """What was done at a time that is told with it, or is told to have been done, asserts for itself."""
    kinds = set().union(*(part.kinds for part in node.parts))
    is_done = (
        "dated" in kinds
        or ("cares" in kinds and not _PLANNED.isdisjoint(node.text.split()))
        or ("acts" in kinds and ("when" in kinds or not _AUXILIARIES.isdisjoint(node.text.split())))
    )
    return all(part.kinds for part in node.parts) and not is_done


@cache
def grammar() -> Grammar:
    """The grammar of `data/`, compiled once per process."""
    groups = _groups()
    alphabet = Alphabet()
    alphabet.words_of_kind = {name[1:-1]: frozenset(words) for name, words in groups.items() if name.startswith("<")}
    for kinds in names.every_set_of_kinds():
        alphabet.kinds(kinds)
    for kind in (
        tokens.NUMBER,
        tokens.QUANTITY,
        tokens.DURATION,
        tokens.PAIR,
        tokens.SCORE,
        tokens.UNIT,
        tokens.DATE,
        tokens.QUOTE,
        tokens.TITLE,
        tokens.CROSSED,
    ):
        alphabet.kinds(frozenset({kind}))
    phrases, clauses = _whole_rows("phrases", _PHRASES), _whole_rows("clauses", _CLAUSES)
    for _, row in phrases:
        alphabet.kinds(frozenset(row["kind"].split("|")))

    def production(line: int, row: Mapping[str, str]) -> Production:
        sets = dict(each.split("=", 1) for each in row["sets"].split() if each)
        pattern = Pattern(row["pattern"], alphabet, groups)
        return Production(frozenset(row["kind"].split("|")), pattern, sets, line, row["reads"], row.get("not", ""))

    by_level = groupby(sorted(phrases, key=_level), key=_level)
    levels = tuple(tuple(production(line, row) for line, row in rows) for _, rows in by_level)
    made = [production(line, row) for line, row in clauses if not _leaves_out(row)]
    carried = [production(line, {**row, "pattern": _without_subject(row["pattern"])}) for line, row in clauses]
    of_kind = {kind: tuple(each for each in made if each.kind == kind) for kind in _NOT_CLAUSES}
    whole = Grammar(
        alphabet,
        levels,
        tuple(each for each in made if each.kind not in _NOT_CLAUSES),
        joints=of_kind[JOINT],
        heads=of_kind[HEAD],
        tails=of_kind[TAIL],
        besides=of_kind[BESIDE],
        subordinates=of_kind[SUBORDINATE],
        carried=tuple(each for each in carried if each.pattern.source),
        sections=of_kind[SECTION],
        questions=of_kind[QUESTION],
        frames=frames.frames(alphabet, groups),
    )
    for each in (*made, *whole.carried, *(row for level in levels for row in level)):
        assert each.pattern.compiled, each.line
        for word in each.pattern.words:
            alphabet.word(word)
    return whole


def _leaves_out(row: Mapping[str, str]) -> bool:
    """Whether a row is only of clauses that leave out their subject."""
    return row["pattern"].startswith(_LEFT_OUT)


def _without_subject(pattern: str) -> str:
    """What follows the subject that a pattern begins with; empty where it begins otherwise."""
    told = pattern.removeprefix(_TIME_FIRST)
    begins = next((each for each in (_LEFT_OUT, _SUBJECT_FIRST) if told.startswith(each)), "")
    return f"{_PRONOUN}{told.removeprefix(begins)}" if begins else ""


def _rows(name: str, columns: tuple[str, ...]) -> list[tuple[int, dict[str, str]]]:
    """The rows of a table, then those of the tables in the folder of its name."""
    return [row for table in tables.all_of(name) for row in tables.rows(table, columns)]


def _whole_rows(name: str, columns: tuple[str, ...]) -> list[tuple[int, dict[str, str]]]:
    """The rows of a table with the parts that their patterns share."""
    parts = {row["part"]: row["pattern"] for _, row in _rows("parts", _PARTS)}

    def whole(pattern: str) -> str:
        told = _PART.sub(lambda match: f"( {parts[match[1]]} )", pattern)
        return told if told == pattern else whole(told)

    return [(line, {**row, "pattern": whole(row["pattern"])}) for line, row in _rows(name, columns)]


def _level(row: tuple[int, Mapping[str, str]]) -> int:
    return int(row[1]["level"])


def _groups() -> dict[str, tuple[str, ...]]:
    """Groups of words; each table may add spellings to one."""
    groups: dict[str, tuple[str, ...]] = {}
    for _, row in _rows("words", _WORDS):
        spelled = tuple(filter(None, map(str.strip, row["words"].split("|"))))
        groups[row["group"]] = (*groups.get(row["group"], ()), *spelled)
    return groups


def productions() -> Iterator[Production]:
    """Every row of clauses and phrases: their examples are tests."""
    yield from (row for level in grammar().levels for row in level)
    yield from grammar().clauses
    yield from grammar().carried
    yield from grammar().sections
    yield from grammar().questions
