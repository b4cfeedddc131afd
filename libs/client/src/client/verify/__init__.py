"""An independent verifier of the log: its own RFC 6962, RFC 8785 and signed notes, sharing no code with the service."""
