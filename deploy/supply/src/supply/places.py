"""Where the pins stand, and what of the repository each is."""

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[4]
REQUIREMENTS = REPOSITORY / "requirements"
# What is installed where the product runs, and what checks and builds it.
SHIPPED = ("runtime.txt", "no-deps.txt", "vllm.txt")
TOOLS = ("dev.txt",)
KAFKA_JARS = REPOSITORY / "deploy" / "local" / "kafka-jars.json"
IMAGES = REPOSITORY / "deploy" / "images.toml"
LICENCES = REPOSITORY / "deploy" / "supply" / "licences.toml"
VLLM_LICENCES = REPOSITORY / "requirements" / "vllm-licences.json"
NEEDS = REPOSITORY / "deploy" / "docker" / "needs.py"
