"""What somebody inside the network tries against a running stack, each attack a line."""
