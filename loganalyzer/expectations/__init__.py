"""What a run should look like: window schedules, baselines, and their arithmetic."""
