"""The imaging service: films and scanned pages become findings and fields that point at what was seen."""
