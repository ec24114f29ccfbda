"""Before a run: which frame counts fit the audio, and what each costs."""
