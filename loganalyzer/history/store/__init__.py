"""Stores runs in a database. This is the only package that uses SQL."""

from loganalyzer.history.store.records import Store
from loganalyzer.history.store.selecting import Selection
from loganalyzer.history.store.writing import Added

__all__ = ["Added", "Selection", "Store"]
