"""One module per door: its paths, who may come in, and how it says that something went wrong."""
