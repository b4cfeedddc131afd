from backup import vectors
from qdrant_client import QdrantClient, models


def test_vectors_of_an_older_state_go_and_those_of_others_stay() -> None:
    client = QdrantClient(":memory:")
    for name in (*vectors.COLLECTIONS, "of_another_system"):
        client.create_collection(name, vectors_config=models.VectorParams(size=2, distance=models.Distance.COSINE))
    vectors.clear(client)
    vectors.clear(client)
    assert [one.name for one in client.get_collections().collections] == ["of_another_system"]
