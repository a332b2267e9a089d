"""Error of a command whose output cannot be written."""


class OutputError(Exception):
    """An output cannot be written; the message is one sentence for the user."""

    exit_code = 5
