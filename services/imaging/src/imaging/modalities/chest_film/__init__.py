"""Frontal chest films: quality, projection, and where the lungs are denser than they should be."""
