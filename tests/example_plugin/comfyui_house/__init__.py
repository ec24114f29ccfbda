"""House rules of a studio: what it wants of every run, and the lines that its own node prints."""
