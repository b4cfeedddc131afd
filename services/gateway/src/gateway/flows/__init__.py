"""What takes several reads."""
