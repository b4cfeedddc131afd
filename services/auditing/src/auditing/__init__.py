"""The transparency log: every Kafka record becomes a leaf that anyone can prove."""
