"""Proposes new baselines from measured runs, with reasons, and writes them on request."""
