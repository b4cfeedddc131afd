"""What the reasoner practises on: invented charts, and questions about them by others."""
