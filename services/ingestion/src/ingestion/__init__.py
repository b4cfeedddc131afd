"""Ingestion: from the sockets of a hospital to durable, normalised events."""
