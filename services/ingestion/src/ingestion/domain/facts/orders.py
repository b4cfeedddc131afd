"""What a message says of orders: which were made, changed and ended, what was dispensed and given.

An order is a statement for each drug or service of it; an ORC that stands alone is one about everything ordered under
its number.
"""

from collections.abc import Iterator, Sequence

from longitude.record.v1 import fact_pb2 as pb

from ingestion.domain.facts.administrations import administrations, dispenses
from ingestion.domain.facts.fulfilments import fulfilment
from ingestion.domain.facts.groups import Order
from ingestion.domain.facts.immunizations import immunizations, is_vaccination
from ingestion.domain.facts.medications import medication, ordered_drug
from ingestion.domain.facts.order_states import (
    INFORMATIVE,
    governed,
    in_order,
    is_statement,
    replaced_parent,
    said_of,
    told_apart,
    without_detail,
)
from ingestion.domain.facts.procedures import ORDER_MESSAGES, ordered_procedure, ordered_service
from ingestion.domain.facts.scope import Scope

_DRUG_MESSAGES = frozenset({"OMP", "RDE"})
# Messages of results: what they say of the order that they answer.
_RESULT_MESSAGES = frozenset({"ORU", "OUL"})
# What an order control says where OBR-25 may say that the order is carried out or cancelled.
_LEAVES_TO_OBR = frozenset({"unchanged", "performed"})
_OTHER_DETAILS = ("RXD", "RXG", "RXA", "RQD", "RQ1", "ODS", "TXA")


def statements(orders: Sequence[Order], code: str, scope: Scope) -> list[pb.ClinicalFact]:
    """Facts of the orders of one person; `code`: the type of the message (MSH-9.1), of a response that it answers."""
    together = [order for order in governed(orders) if order.first("TXA") is None]
    facts = [fact for order in together for fact in _doses(order, code, scope)]
    if code in _RESULT_MESSAGES:
        facts += [fact for order in together for fact in fulfilment(order, scope)]
    if code not in INFORMATIVE:
        facts += [fact for order in in_order(together) for fact in _order(order, together, code, scope)]
    return told_apart(facts)


def _doses(order: Order, code: str, scope: Scope) -> Iterator[pb.ClinicalFact]:
    yield from dispenses(order, scope)
    if code == "VXU" or is_vaccination(order):
        yield from immunizations(order, scope)
    else:
        yield from administrations(order, scope)


def _order(order: Order, together: Sequence[Order], code: str, scope: Scope) -> Iterator[pb.ClinicalFact]:
    drug, orders_anything = ordered_drug(order) is not None, code in ORDER_MESSAGES | _DRUG_MESSAGES
    if not (drug or orders_anything) or not is_statement(order, scope):
        return
    if orders_anything:
        yield from replaced_parent(order, together, scope)
    if drug:
        yield from medication(order, scope)
    elif code in ORDER_MESSAGES and ordered_service(order) is not None:
        yield from ordered_procedure(order, scope)
        if said_of(order) in _LEAVES_TO_OBR:
            yield from fulfilment(order, scope)
    elif orders_anything and not any(map(order.first, _OTHER_DETAILS)):
        yield from without_detail(order, scope)
