from pathlib import Path

import pytest
import yaml
from contracts.topics import TOPICS, dead_letter_topic
from native_stack import layout, services
from native_stack.topics import read_topics

DOCUMENT = yaml.safe_load(layout.TOPICS.read_text())


def test_topics_as_data_and_topics_in_code_are_the_same_list() -> None:
    assert [row["name"] for row in DOCUMENT["topics"]] == [topic.name for topic in TOPICS]


def test_every_consumer_has_its_dead_letter_topic() -> None:
    by_name = {topic.name: topic for topic in TOPICS}
    expected = {
        dead_letter_topic(consumer, by_name[row["name"]]) for row in DOCUMENT["topics"] for consumer in row["consumers"]
    }
    assert {topic.name for topic in read_topics(layout.TOPICS) if topic.name.startswith("dlq.")} == expected


def test_consumers_are_services_and_none_reads_its_own_events() -> None:
    for row in DOCUMENT["topics"]:
        owner = row["name"].partition(".")[0]
        assert set(row["consumers"]) <= set(services.NEEDS) - {owner}


def test_a_topic_without_its_settings_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "topics.yaml"
    broken.write_text("dead_letters: {partitions: 1, retention_ms: -1}\ntopics: [{name: a.b.v1, consumers: []}]\n")
    with pytest.raises(KeyError, match="partitions"):
        read_topics(broken)
