"""Window: reads the pipeline's status, sends commands, knows nothing of threads."""
