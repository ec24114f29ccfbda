"""What a run should look like: window schedules and baselines, with their arithmetic."""
