"""The store of runs: the only package that speaks SQL."""

from loganalyzer.history.store.records import Store
from loganalyzer.history.store.selecting import Selection
from loganalyzer.history.store.writing import Added

__all__ = ["Added", "Selection", "Store"]
