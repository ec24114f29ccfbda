"""Defines all errors of the tool. A finding about a log is never an exception."""

from __future__ import annotations

from loganalyzer.common.formatting import printable


class LogAnalyzerError(Exception):
    """An error that the user can fix: `message` says what is wrong and where, `hint` says how to fix it.

    The command line catches this class in one place, prints both and exits with status 2.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        message, hint = printable(self.message), printable(self.hint)
        return f"{message}\n  {hint}" if hint else message


class SourceError(LogAnalyzerError):
    """An input could not be read; other inputs are still processed."""


class SkippedError(SourceError):
    """A file beside the inputs was skipped on purpose: it causes a note, not a failure."""


class GrammarError(LogAnalyzerError):
    """A pattern file is invalid: names the file, the pattern, the key and the reason."""


class ExpectationError(LogAnalyzerError):
    """A schedule or baselines file is invalid."""


class ConfigurationError(LogAnalyzerError):
    """A configuration file or an option has an unknown key or a value of the wrong type."""


class ReportError(LogAnalyzerError):
    """An output could not be written."""


class WorkflowError(LogAnalyzerError):
    """A workflow file cannot be read, or its nodes and links are inconsistent."""


class HistoryError(LogAnalyzerError):
    """The database of runs cannot be used."""


class RecorderError(LogAnalyzerError):
    """The recorder cannot be installed into a ComfyUI, or removed from it."""


def install_hint(extra: str) -> str:
    """How to install an extra of `pyproject.toml`, as the hint of an error.

    The distribution's name is comfyui-loganalyzer. It is not published yet, so the hint installs from the repository:
    the names `loganalyzer` and `loganalyze` on PyPI belong to other people's packages.
    """
    return f"in a clone of loganalyzer's repository: pip install '.[{extra}]'"
