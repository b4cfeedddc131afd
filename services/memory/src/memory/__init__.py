"""The longitudinal patient memory."""
