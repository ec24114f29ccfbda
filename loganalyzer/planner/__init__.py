"""Plans a run: which frame counts fit the audio, and how long each takes and what it costs."""
