"""What was measured before: a store of runs, their figures in order, and verdicts on them."""
