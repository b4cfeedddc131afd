"""How the chest-film network is trained and judged. Nothing here runs in the service."""
