"""The command line: options in, one call of the pipeline, one renderer, an exit code out."""
