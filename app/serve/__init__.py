"""The run in a browser: a page, its pictures and figures, and controls, served over HTTP."""
