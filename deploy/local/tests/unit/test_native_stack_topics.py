from contracts.topics import TOPICS, dead_letter_topic
from manifests import read_services
from manifests.topics import topics
from native_stack.topics import topics_of

SERVICES = read_services()


def test_topics_of_the_manifests_and_topics_in_code_are_the_same_list() -> None:
    assert sorted(topic.name for topic in topics(SERVICES)) == sorted(topic.name for topic in TOPICS)


def test_a_broker_has_every_topic_and_a_dead_letter_topic_for_each_of_its_consumers() -> None:
    by_name = {topic.name: topic for topic in TOPICS}
    dead = {dead_letter_topic(reader, by_name[row.name]) for row in topics(SERVICES) for reader in row.consumers}
    assert {topic.name for topic in topics_of(SERVICES)} == by_name.keys() | dead


def test_no_service_reads_its_own_events() -> None:
    for topic in topics(SERVICES):
        assert topic.name.partition(".")[0] not in topic.consumers
