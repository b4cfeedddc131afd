"""Rights on Kafka follow from the manifests, and from nothing else."""

from contracts.topics import owner_of
from manifests import read_services
from manifests.grants import COMMAND, grants
from manifests.topics import topics

SERVICES = read_services()
GRANTS = grants(SERVICES)


def test_each_topic_is_written_by_its_owner_and_by_who_puts_dead_letters_back() -> None:
    owners = {topic: service.name for service in SERVICES.values() for topic in service.events.publishes}
    for topic, owner in owners.items():
        writers = {g.user for g in GRANTS if g.resource == "topic" and g.operation == "write" and g.name == topic}
        assert writers == {owner} == {owner_of(topic)}, "whose signature a consumer asks for"
    assert [g.user for g in GRANTS if g.operation == "write" and g.name == "*"] == [COMMAND]


def test_each_consumer_reads_its_topics_and_writes_its_dead_letters() -> None:
    held = {(g.user, g.name, g.operation) for g in GRANTS if g.resource == "topic"}
    for topic in topics(SERVICES):
        for reader in topic.consumers:
            assert (reader, topic.name, "read") in held or (reader, "*", "read") in held
            assert (reader, f"dlq.{reader}.{topic.name}", "write") in held


def test_a_group_is_joined_by_its_service_alone() -> None:
    for grant in GRANTS:
        if grant.resource == "group":
            assert grant.name.removesuffix(".*") == grant.user
