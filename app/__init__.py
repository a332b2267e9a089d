"""Fast-SCNN Live: the application around the network."""

from fastscnn import __version__ as __version__
