"""The demo street: an endless street seen from a moving car, with exact labels."""

from fastscnn.data.street.street import Street

__all__ = ["Street"]
