"""Serve rules: whether a page can be served as the arguments ask for it."""

from __future__ import annotations

from importlib.util import find_spec

from app.config.settings import ServeOptions
from app.errors import UsageError


def check_serve(options: ServeOptions) -> None:
    """Find out before any work whether the run can be shown in a browser.

    Raises:
        UsageError: it cannot.
    """
    if options.serve is None:
        if options != ServeOptions():
            raise UsageError("--serve-… say how a page is served: add --serve PORT.")
        return
    if find_spec("starlette") is None or find_spec("uvicorn") is None:
        raise UsageError(
            "--serve needs starlette and uvicorn, which are not installed:"
            " pip install starlette uvicorn"
        )
    if (options.serve_cert is None) != (options.serve_key is None):
        raise UsageError("https needs both --serve-cert and --serve-key: name the other one too.")
    if options.serve_token is not None and not options.serve_token.strip():
        raise UsageError("--serve-token is empty: name a word, or leave it out to have one made.")
