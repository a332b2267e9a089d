"""Controllers: commands for playback, view and recordings."""
