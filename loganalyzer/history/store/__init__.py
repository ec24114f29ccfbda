"""The store of runs: the only room that speaks SQL."""

from loganalyzer.history.store.records import Added, Selection, Store

__all__ = ["Added", "Selection", "Store"]
