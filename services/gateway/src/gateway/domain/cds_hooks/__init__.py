"""CDS Hooks 2.0: what a clinical system asks while somebody opens a chart or orders, and the cards that answer."""
