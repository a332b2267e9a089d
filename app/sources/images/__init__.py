"""Images from files as sources: single ones, sequences, animations."""
