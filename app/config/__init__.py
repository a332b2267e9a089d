"""Settings: declared, parsed, saved between runs."""
