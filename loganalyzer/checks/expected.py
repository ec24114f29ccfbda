"""Loads the expectations that runs are compared with: baselines, workflow settings, earlier runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from loganalyzer.expectations import baselines
from loganalyzer.expectations.baselines import Baselines
from loganalyzer.settings.model import Settings

if TYPE_CHECKING:
    from loganalyzer.history.past import Past
    from loganalyzer.workflow.requested import RequestedSettings


@dataclass(frozen=True, eq=False)
class Expected:
    """The expectations for runs, loaded once per call.

    Attributes:
        baselines: memory, time and cost per kind of run.
        requested: the settings of the runs' workflow, if one is given.
        past: the metrics of earlier runs, if there is a history.
    """

    baselines: Baselines
    requested: RequestedSettings | None = None
    past: Past | None = None


def load(settings: Settings, past: Past | None = None) -> Expected:
    """Reads the baselines, and the workflow if the settings name one.

    Raises:
        LogAnalyzerError: the baselines or the workflow file is invalid.
    """
    return Expected(baselines.load_baselines(settings.baselines), _requested(settings), past)


def _requested(settings: Settings) -> RequestedSettings | None:
    if settings.workflow is None:
        return None
    from loganalyzer.workflow import reading  # most calls name no workflow, and its readers take time to import

    return reading.load_workflow(settings.workflow).first.requested
