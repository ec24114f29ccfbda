"""Packs what a maintainer needs into a small archive: report, text, log slices, environment, manifest."""
