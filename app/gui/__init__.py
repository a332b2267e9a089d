"""The window: reads snapshots of the pipeline and sends it commands; knows nothing of threads."""
