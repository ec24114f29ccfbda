"""MOD004: checks the attention mode that a sampler uses; `lint` checks the same rule on workflows."""

from __future__ import annotations

import polars as pl

from loganalyzer.checks.findings import Need, Texts, at_line, make_findings, make_outcome, split_by_needs
from loganalyzer.checks.registry import Context, Outcome, rule

_OF_OTHERS = "only WanVideoWrapper's model loader has an attention mode"
_NO_RECORDER = (
    "only the recorder prints the sampler's attention mode: install it (`loganalyze recorder install`), "
    "or check the workflow"
)


@rule(
    "MOD004",
    "attention-mode",
    "warning",
    cause="other attention mode",
    summary="The attention mode differs from the configured one (`attention_mode`, by default `sdpa`).",
    why="Another mode changes step times and images, so runs are not comparable. Modes that need a package fail on "
    "machines without it. A workflow and the recorder's lines name the mode. ComfyUI's line `Using sage attention` is "
    "about its own attention, while WanVideoWrapper's sampler uses the mode of its model loader.",
    example='[loganalyzer] {"v":1,"event":"sampler","prompt":"7","node":"27","class":"WanVideoSampler",'
    '"model":"wan-Q6_K.gguf","quantization":"Q6_K","adapter":null,"adapter_quantization":null,"attention":"sageattn",'
    '"frames":369,"window":81,"overlap":9,"width":1280,"height":720,"steps":4,"audio":null,"fps":25.0}\n'
    '# or in a workflow: "attention_mode": "sageattn"',
    fix="Set the model loader's attention mode to sdpa. If another mode is meant, set `attention_mode` in the "
    "configuration.",
)
def attention_mode(context: Context) -> Outcome:
    """Compares the recorded mode with the configured one."""
    wanted = context.settings.attention_mode
    runs, unchecked = split_by_needs(
        context.found.runs,
        Need(pl.col("producer") == "wrapper", _OF_OTHERS, "not-applicable"),
        Need(pl.col("sampler_attention").is_not_null(), _NO_RECORDER, "configuration"),
    )
    rows = make_findings(
        at_line(runs.filter(pl.col("sampler_attention") != wanted), "model_line"),
        lambda: Texts(
            message=pl.format("The attention mode is {}, not {}.", "sampler_attention", pl.lit(wanted)),
            observed=pl.col("sampler_attention"),
            expected=pl.lit(wanted),
            fix=pl.format(
                'Set the model loader\'s attention mode to {}. If {} is meant, set `attention_mode = "{}"` in the '
                "configuration.",
                pl.lit(wanted),
                "sampler_attention",
                "sampler_attention",
            ),
        ),
    )
    return make_outcome(rows, unchecked)
