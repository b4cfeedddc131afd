"""A course whose ends stand in any order: which value it came from and went to, when each was, and by how much it changed.

Guarantee: a value is an end only by the word before it or by the time beside it; one of which neither tells the end is
told as such, and so the clause is not compared.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

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
_LASTING = frozenset(("since", "span", "between", "days-between", "both"))


def arranged(parts: Sequence[Node], roles: Mapping[str, tuple[Node, ...]]) -> Roles:
    """The roles of a course, by its parts in their order."""
    made: dict[str, list[Node]] = defaultdict(list)
    made["manner"] += [*roles.get("manner", ()), *_manners(parts)]
    way, last = "", ""
    for place, part in enumerate(parts):
        if not part.kinds:
            way, last = _WORDS.get(part.text, way), last if part.text in "(," else ""
        elif part.kinds & {"value", "part"}:
            last = _role(way, parts, place)
            if last == TO and made[TO]:
                # Of several values the last is the end: to 97, 110 and finally 122.
                made[MIDDLE].append(_passed(*made.pop(TO), *made.pop(f"{TO}at", [])))
            made["part" if "part" in part.kinds else last].append(_passed(part) if last == MIDDLE else part)
            way = last if last in (TO, MIDDLE) else ""
        elif part.kinds & {"when", "circumstance"}:
            if _is_beside(parts, place):
                made[f"{_beside_role(part, way, made)}at"].append(_dated(part))
                way = f"{_beside_role(part, way, made)}"
            elif last == MIDDLE:
                made[MIDDLE][-1] = _passed(*made[MIDDLE][-1].parts, part)
            elif last in (FROM, TO) and not made[f"{last}at"] and part.says("time") not in _LASTING:
                made[f"{last}at"].append(part)
            else:
                made["when"].append(part)
            last = ""
    kept = {name: nodes for name, nodes in roles.items() if name not in ("value", "when", "circumstance", "part")}
    return {**kept, **{name: tuple(nodes) for name, nodes in made.items() if nodes}}


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
