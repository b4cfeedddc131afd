from pathlib import Path

import pytest
from manifests import ManifestError, read_services
from manifests.topics import topics

ALONE = """
[sockets]
grpc = 50061
http = 8091
[runs]
replicas = 2
most = 3
cpu = "250m"
memory = "256Mi"
memory_limit = "512Mi"
"""


def write(folder: Path, name: str, text: str) -> Path:
    (folder / name).mkdir()
    (folder / name / "service.toml").write_text(text)
    return folder


def test_a_service_without_anything_of_its_own_needs_kafka_alone(tmp_path: Path) -> None:
    (service,) = read_services(write(tmp_path, "billing", ALONE)).values()
    assert (service.name, service.needs, service.feeds) == ("billing", ("kafka",), {})


def test_what_it_owns_and_calls_says_which_servers_it_needs(tmp_path: Path) -> None:
    owns = '[owns]\ntables = true\nbuckets = ["billing-papers"]\nvectors = ["bills"]\n[calls]\nmodels = ["embedder"]\n'
    (service,) = read_services(write(tmp_path, "billing", ALONE + owns)).values()
    assert service.needs == ("kafka", "postgres", "objects", "qdrant", "triton")


def test_a_reader_of_everything_reads_what_others_publish_and_nothing_of_its_own(tmp_path: Path) -> None:
    own = '[events]\nconsumes = ["*"]\n[events.publishes]\n"{}.done.v1" = {{partitions = 1}}\n'
    write(tmp_path, "billing", ALONE + own.format("billing"))
    write(tmp_path, "coding", ALONE.replace("50061", "50062").replace("8091", "8092") + own.format("coding"))
    readers = {topic.name: topic.consumers for topic in topics(read_services(tmp_path))}
    assert readers == {"billing.done.v1": ("coding",), "coding.done.v1": ("billing",)}


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("replicas = 2", "replica = 2", r"runs\.replica: Unexpected"),
        ("most = 3", "", r"runs\.most: Field required"),
        ("replicas = 2", 'replicas = "two"', r"runs\.replicas: "),
        ('memory = "256Mi"', 'memory = "256 MB"', r"runs\.memory: "),
        ("grpc = 50061", "", r"sockets: .*grpc"),
        ("grpc = 50061", "grpc = 80", r"sockets\.grpc: "),
        ("http = 8091", "http = 50061", r"sockets\.http: this port or this name is taken"),
        ("http = 8091", "http = 8091\nkafka = 9999", r"sockets\.kafka: this port or this name is taken"),
        ("[runs]", 'colour = "blue"\n[runs]', r"sockets\.colour: "),
        ("[sockets]", 'name = "bills"\n[sockets]', r"name: the folder's name"),
        ("[sockets]", "[sockets", r".*line"),
        ("[runs]", '[settings]\nKEY = "{vault}/key"\n[runs]', r"settings\.KEY: .*\{vault\} is no place"),
        (
            "[runs]",
            '[events]\nconsumes = ["memory.gone.v1"]\n[runs]',
            r"events\.consumes: nobody publishes memory\.gone",
        ),
        (
            "[runs]",
            '[events.publishes]\n"a.done.v1" = {partitions = 1}\n[runs]',
            r"events\.publishes\.a\.done\.v1: the first",
        ),
        (
            "[runs]",
            '[events.publishes]\n"billing.done.v1" = {}\n[runs]',
            r"events\.publishes\.billing\.done\.v1\.partitions: ",
        ),
        ("[runs]", '[calls.services]\ncoding = ["Get"]\n[runs]', r"calls\.services\.coding: there is no such service"),
        ("[runs]", '[calls]\nbuckets = ["lost-papers"]\n[runs]', r"calls\.buckets: nobody owns lost-papers"),
    ],
)
def test_an_error_names_the_file_and_the_key(tmp_path: Path, old: str, new: str, key: str) -> None:
    assert old in ALONE
    write(tmp_path, "billing", ALONE.replace(old, new))
    with pytest.raises(ManifestError, match=rf"{tmp_path}/billing/service\.toml: {key}"):
        read_services(tmp_path)
