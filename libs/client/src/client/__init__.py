"""What a downstream team installs: typed clients, the verifying audit consumer and the `longitude` command."""
