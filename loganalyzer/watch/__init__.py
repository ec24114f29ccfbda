"""A growing log, read while the GPU is still being paid for."""
