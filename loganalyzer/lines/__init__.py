"""Physical lines split into segments, and everything that other programs put around a line removed."""
