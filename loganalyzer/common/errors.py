"""Every way in which the tool can refuse; a finding about a log is never an exception."""

from __future__ import annotations

from loganalyzer.common.formatting import printable


class LogAnalyzerError(Exception):
    """Something the user can mend: `message` says what and where, `hint` says the way out.

    The command line catches this class in one place, prints both and leaves with exit code 2.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        message, hint = printable(self.message), printable(self.hint)
        return f"{message}\n  {hint}" if hint else message


class SourceError(LogAnalyzerError):
    """An input could not be read; the other inputs go on."""


class PassedOverError(SourceError):
    """Something beside the inputs was not read, on purpose: worth a note, no failure."""


class GrammarError(LogAnalyzerError):
    """A pattern file is refused: names the file, the pattern, the key and the reason."""


class ExpectationError(LogAnalyzerError):
    """A schedule or baselines file is refused."""


class ConfigurationError(LogAnalyzerError):
    """A configuration file or an option holds an unknown key or a value of the wrong type."""


class ReportError(LogAnalyzerError):
    """An output could not be written."""


class WorkflowError(LogAnalyzerError):
    """A workflow file cannot be read, or its nodes and links make no sense."""


class HistoryError(LogAnalyzerError):
    """A store of runs cannot be used."""


def install_hint(extra: str) -> str:
    """Say how to install an extra of `pyproject.toml`, as the way out of an error.

    The distribution is called comfyui-loganalyzer and is not published yet, so the hint installs from the repository:
    the names `loganalyzer` and `loganalyze` on PyPI belong to other people's packages.
    """
    return f"in a clone of loganalyzer's repository: pip install '.[{extra}]'"
