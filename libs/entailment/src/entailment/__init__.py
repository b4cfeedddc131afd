"""Does a source support a sentence: the network, its training and its calibration."""
