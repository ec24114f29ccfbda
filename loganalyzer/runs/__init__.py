"""Records to runs: prompts, stages, windows, steps, paddings, memory, rebuilt with column operations."""
