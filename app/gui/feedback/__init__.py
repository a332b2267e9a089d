"""Feedback to the user: notifications, progress, status line, shortcuts."""
