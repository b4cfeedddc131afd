"""What codes, names and units mean: the only home of clinical vocabulary. Pure; what it knows is in `data`."""
