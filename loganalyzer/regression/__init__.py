"""Whether measurements got worse: series of runs, and two samples. Numbers in, verdicts with reasons out."""
