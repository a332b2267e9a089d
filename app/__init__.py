"""Fast-SCNN Live: the application around the network."""

__version__ = "0.1.0"
