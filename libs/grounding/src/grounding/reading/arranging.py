"""A course whose ends stand in any order: which value it came from and went to, when, and by how much it changed.

Guarantee: a value is an end only by the word before it or by the time beside it; one of which neither tells the end is
told as such, and so the clause is not compared.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from grounding.reading.nodes import Node

Roles = dict[str, tuple[Node, ...]]
FROM, TO, BY, MIDDLE, LOOSE = "from", "to", "by", "middle", "loose"
_WORDS = {"from": FROM, "between": FROM, "to": TO, "and": TO, "at": TO, "reaching": TO, "reach": TO, "->": TO, "→": TO,
          "–": TO, "-": TO, "vs": TO, "versus": TO, "by": BY, "through": MIDDLE, "via": MIDDLE}  # fmt: skip
_MANNERS = {
    **dict.fromkeys(("steady", "gradual", "slow", "progressive", "continuous", "every", "each"), "steadily"),
    **dict.fromkeys(("slight", "modest", "small", "minor", "minimal"), "slightly"),
    **dict.fromkeys(("marked", "significant", "sharp", "dramatic", "considerable", "substantial", "steep"), "markedly"),
}
# Times that are of a whole course.
_LASTING = frozenset(("since", "span", "same-span", "between", "days-between", "both"))


def arranged(parts: Sequence[Node], roles: Mapping[str, tuple[Node, ...]]) -> Roles:
    """The roles of a course, by its parts in their order."""
    ends = _Ends()
    ends.made["manner"] += [*roles.get("manner", ()), *_manners(parts)]
    for place, part in enumerate(parts):
        if not part.kinds:
            ends.word(part.text)
        elif part.kinds & {"value", "part"}:
            ends.value(parts, place)
        elif part.kinds & {"when", "circumstance"}:
            ends.time(parts, place)
    kept = {name: nodes for name, nodes in roles.items() if name not in ("value", "when", "circumstance", "part")}
    return {**kept, **{name: tuple(nodes) for name, nodes in ends.made.items() if nodes}}


@dataclass
class _Ends:
    """What was found so far. `way`: the end that the last word tells; `last`: the end that the last value is."""

    made: dict[str, list[Node]] = field(default_factory=lambda: defaultdict(list))
    way: str = ""
    last: str = ""

    def word(self, text: str) -> None:
        self.way = _WORDS.get(text, self.way)
        self.last = self.last if text in "(," else ""

    def value(self, parts: Sequence[Node], place: int) -> None:
        part, self.last = parts[place], _role(self.way, parts, place)
        if self.last == TO and self.made[TO]:
            # Of several values the last is the end: to 97, 110 and finally 122.
            self.made[MIDDLE].append(_passed(*self.made.pop(TO), *self.made.pop(f"{TO}at", [])))
        role = "part" if "part" in part.kinds else self.last
        self.made[role].append(_passed(part) if self.last == MIDDLE else part)
        self.way = self.last if self.last in (TO, MIDDLE) else ""

    def time(self, parts: Sequence[Node], place: int) -> None:
        part = parts[place]
        if _is_beside(parts, place):
            self.way = _beside_role(part, self.way, self.made)
            self.made[f"{self.way}at"].append(_dated(part))
        elif self.last == MIDDLE:
            self.made[MIDDLE][-1] = _passed(*self.made[MIDDLE][-1].parts, part)
        elif self.last in (FROM, TO) and not self.made[f"{self.last}at"] and part.says("time") not in _LASTING:
            self.made[f"{self.last}at"].append(part)
        else:
            self.made["when"].append(part)
        self.last = ""


def _passed(*parts: Node) -> Node:
    """A value on the way, with its time."""
    return Node("", parts[0].start, parts[-1].end, frozenset({"passed"}), parts)


def _role(way: str, parts: Sequence[Node], place: int) -> str:
    """Which end a value is: by the word before it, or as the first of two (68 to 41)."""
    following = parts[place + 1].text if place + 1 < len(parts) else ""
    return way or (FROM if following in ("to", "->", "→") else LOOSE)


def _is_beside(parts: Sequence[Node], place: int) -> bool:
    """Whether a time is followed by its value in brackets: from 2019 (6.0 %) to 2024 (6.1 %)."""
    behind = parts[place + 1 : place + 4]
    return len(behind) > 1 and behind[0].text == "(" and "value" in behind[1].kinds and behind[-1].text == ")"


def _beside_role(when: Node, way: str, made: Mapping[str, list[Node]]) -> str:
    first = when.parts[0].text if when.parts else ""
    return way or (_WORDS.get(first, "") if first in ("from", "to") else "") or (TO if made.get(f"{FROM}at") else FROM)


def _dated(when: Node) -> Node:
    """The day of an end, however it is led: to May 2024 (6.1 %)."""
    return replace(when, sets={**when.sets, "time": "on"}) if when.all("date") else when


def _manners(parts: Sequence[Node]) -> Iterator[Node]:
    for part in parts:
        if not part.kinds and part.text in _MANNERS:
            yield replace(part, kinds=frozenset({"manner"}), sets={"manner": _MANNERS[part.text]})
