"""A look as a syslog message: octets that may be sent, or shown, as they are."""

import json

from client import atna
from longitude.auditing.v1.auditing_service_pb2 import Leaf


def test_nothing_in_a_message_acts_on_a_terminal() -> None:
    event = {
        "recorded": "2026-01-01T08:00:00Z",
        "action": "R",
        "outcome": "0",
        "subtype": [],
        "agent": [
            {
                "requestor": True,
                "type": {"coding": [{"system": "DCM", "code": "110153"}]},
                "who": {"identifier": {"system": "https://issuer.example", "value": "nurse\x1b[2J\u202eesrun"}},
            }
        ],
        "entity": [],
    }
    framed = atna.frame(Leaf(index=7, leaf_data=json.dumps(event).encode()))
    length, _, message = framed.partition(b" ")
    assert int(length) == len(message)
    body = message.decode().partition("\ufeff")[2]
    assert all(character.isprintable() or character == "\n" for character in body)
    assert r"nurse\x1b[2J\u202eesrun" in body
