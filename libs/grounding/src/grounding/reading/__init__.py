"""Reading: a sentence to typed assertions by a closed grammar whose productions are data."""
