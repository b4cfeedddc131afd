"""Who is inside: places and bytes, shared fairly between peers.

Guarantee: nobody who comes is locked out by what others merely hold. A full house closes the idlest connection of the
peer that has most, never one whose message is being answered; who fills the memory is closed, and not who comes next.
Calls may come from any thread.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ingestion import metrics

CROWDED, PEER_BYTES, ALL_BYTES = "crowded", "bytes of its peer", "bytes of all"
REFUSED_PEER, REFUSED = "quota of its peer", "full"


@dataclass(frozen=True, slots=True)
class Quotas:
    """Of one listener, and of one peer (an address, or the subject of its certificate)."""

    places: int
    peer_places: int
    held_bytes: int
    peer_held_bytes: int
    # Who has been silent for as long gives up its place when others wait.
    crowded_idle: float


class Place:
    """One connection that is inside."""

    def __init__(self, door: Door, peer: str, close: Callable[[], None]) -> None:
        self.peer = peer
        self.close = close
        self.heard_at = time.monotonic()
        self.busy = self.held = 0
        self._door = door

    def hear(self, kept: int) -> None:
        """Bytes have come, and so many are kept until they are whole."""
        self.heard_at = time.monotonic()
        if kept != self.held:
            self._door.hold(self, kept)

    @contextmanager
    def working(self) -> Iterator[None]:
        """Something of it is being answered: it is not closed meanwhile."""
        self.busy += 1
        try:
            yield
        finally:
            self.busy -= 1
            self.heard_at = time.monotonic()

    def leave(self) -> None:
        """It is closed."""
        self._door.leave(self)


class Door:
    """Of one listener."""

    def __init__(self, name: str, quotas: Quotas) -> None:
        self._name = name
        self._quotas = quotas
        self._places: set[Place] = set()
        self._lock = threading.RLock()

    def enter(self, peer: str, close: Callable[[], None]) -> Place | None:
        """A place for a connection of this peer; `close` ends it when it must make room. None: there is no room."""
        with self._lock:
            if not self._has_room(peer):
                return None
            place = Place(self, peer, close)
            self._places.add(place)
            self._measure()
            return place

    def leave(self, place: Place) -> None:
        """Its place is free; nothing where it was made free before."""
        with self._lock:
            self._places.discard(place)
            place.held = 0
            self._measure()

    def hold(self, place: Place, kept: int) -> None:
        """What a place holds has changed. Over a bound the largest holder of the peer that holds most is closed."""
        with self._lock:
            grows, place.held = kept > place.held, kept
            if not grows or place not in self._places:
                return
            by_peer = Counter[str]()
            for each in self._places:
                by_peer[each.peer] += each.held
            if by_peer[place.peer] > self._quotas.peer_held_bytes:
                self._close(self._largest(place.peer), PEER_BYTES)
            elif by_peer.total() > self._quotas.held_bytes:
                self._close(self._largest(by_peer.most_common(1)[0][0]), ALL_BYTES)

    def __len__(self) -> int:
        return len(self._places)

    def _has_room(self, peer: str) -> bool:
        counts = Counter(place.peer for place in self._places)
        if counts[peer] >= self._quotas.peer_places:
            return self._made_room([place for place in self._places if place.peer == peer], counts, peer, REFUSED_PEER)
        return len(self._places) < self._quotas.places or self._made_room(self._places, counts, peer, REFUSED)

    def _made_room(self, among: set[Place] | list[Place], counts: Counter[str], peer: str, reason: str) -> bool:
        now = time.monotonic()
        idle = [place for place in among if not place.busy]
        worst = max(idle, key=lambda place: (counts[place.peer], now - place.heard_at), default=None)
        if worst is not None and (
            counts[worst.peer] > counts[peer] + 1 or now - worst.heard_at >= self._quotas.crowded_idle
        ):
            self._close(worst, CROWDED)
            return True
        metrics.TURNED_AWAY.labels(self._name, reason).inc()
        return False

    def _largest(self, peer: str) -> Place:
        return max((place for place in self._places if place.peer == peer), key=lambda place: place.held)

    def _close(self, place: Place, reason: str) -> None:
        self.leave(place)
        metrics.CLOSED.labels(self._name, reason).inc()
        place.close()

    def _measure(self) -> None:
        metrics.INSIDE.labels(self._name).set(len(self._places))
