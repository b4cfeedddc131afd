from pathlib import Path

from native_stack.layout import MODEL_REPOSITORY
from native_stack.triton import _linked_repository, available_models


def test_a_start_links_every_model_again_and_keeps_published_versions(tmp_path: Path) -> None:
    repository = _linked_repository(tmp_path)
    assert {folder.name for folder in repository.iterdir()} == set(available_models())
    published = repository / "reasoner" / "2" / "version.json"
    published.parent.mkdir()
    published.write_text('{"weights": "tuned"}')
    code = repository / "reasoner" / "1"
    code.unlink()
    code.symlink_to(tmp_path / "a checkout that was moved")
    assert _linked_repository(tmp_path) == repository
    assert code.resolve() == MODEL_REPOSITORY / "reasoner" / "1"
    assert published.read_text() == '{"weights": "tuned"}'
