"""Decides whether measurements got worse, for series of runs and for two samples, and explains each verdict."""
