"""AUD: checks that audio will drive every frame of the video."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from loganalyzer.common.formatting import plural
from loganalyzer.expectations.embedding import count_yielded_frames, find_request
from loganalyzer.lint.model import Case, Fault, NotChecked, Way
from loganalyzer.planner import advice
from loganalyzer.planner.plan import Choice, Plan, Sound, Windows, make_plan
from loganalyzer.settings.model import Settings
from loganalyzer.workflow.requested import SamplerSettings, as_int, locate
from loganalyzer.workflow.requested import as_fps as parse_rate
from loganalyzer.workflow.values import Value

Found = Iterator[Fault | NotChecked]


_SCHEDULED: Final = ("AUD001", "AUD005", "AUD007", "AUD009", "AUD010")
"""Rules that need the schedule; AUD003 needs only the audio."""


def audio_rate_of(requested: SamplerSettings, settings: Settings) -> float:
    """Returns the audio node's frame rate, or the configured one if the workflow does not state it."""
    return parse_rate(requested.fps) or settings.fps


def check_frames(case: Case) -> Found:
    """AUD001, AUD003, AUD005, AUD007, AUD009, AUD010: compares requested frames with the audio and the schedule."""
    requested = case.requested.requested_frames
    request = as_int(requested)
    if request is None or request < 1:
        reason = requested.reason or f"{locate(requested)} is not a number of frames"
        yield from (NotChecked(rule, reason) for rule in (*_SCHEDULED, "AUD003"))
        return
    if case.windows is None:
        places = (case.requested.window_frames, case.requested.motion_frames, case.requested.drop_frames)
        reason = next((place.reason for place in places if place.reason), "the schedule is impossible")
        yield from (NotChecked(rule, reason) for rule in _SCHEDULED)
    if case.sound is None:
        rules = ("AUD003",) if case.windows is None else ("AUD001", "AUD003", "AUD005")
        yield from (
            NotChecked(rule, "the audio's length is unknown: pass the file or its length with --audio")
            for rule in rules
        )
    else:
        yield from _check_request(case, request, case.sound)
    if case.windows is not None:
        yield from _check_on_schedule(case, case.windows, request)


def _check_on_schedule(case: Case, windows: Windows, request: int) -> Found:
    if case.sound is None:
        yield from _check_alignment(case, windows, request)
    else:
        yield from _check_missing(case, windows, request, case.sound)
    yield from _check_crops(case, windows, request)


def _check_request(case: Case, request: int, sound: Sound) -> Found:
    if request <= sound.frames + 1:
        return
    made = make_plan(sound, audio_rate_of(case.requested, case.settings), case.windows) if case.windows else None
    yield Fault(
        "AUD003",
        case.requested.requested_frames,
        f"{request} frames are requested, but the audio ({case.sound_from}) has {sound.frames}.",
        f"{request} frames",
        f"{sound.frames} frames at most",
        _fix_text(made) if made else f"Set num_frames to {sound.frames} or less.",
        _ways(made) if made else (),
    )


def _check_missing(case: Case, windows: Windows, request: int, sound: Sound) -> Found:
    """AUD001, AUD005: compares the schedule with the frames that the embedding will have."""
    fps = audio_rate_of(case.requested, case.settings)
    used = count_yielded_frames(request, fps, sound.speakers, sound.multi)
    made = make_plan(sound, fps, windows)
    if used < windows.window:
        gap = windows.window - used
        yield Fault(
            "AUD005",
            case.requested.requested_frames,
            f"{plural(used, 'frame')} of audio do not fill one window of {windows.window}: the last {gap} repeat one "
            "mouth shape, and the log will have no warning.",
            f"{used} frames",
            f"{windows.window} frames or more",
            f"Supply {gap / fps:.2f} s more audio and request {windows.window} frames, or trim the video to {used}.",
        )
        return
    missing = windows.rendered(used) - used
    if missing:
        yield Fault(
            "AUD001",
            case.requested.requested_frames,
            f"{plural(missing, 'frame')} ({missing / fps:.2f} s) will have no audio: {used} frames of audio take "
            f"{plural(windows.count(used), 'window')}, which need {used + missing}.",
            f"{request} requested, {used} used, {used + missing} needed",
            "an aligned count that the audio fills",
            _fix_text(made),
            _ways(made),
        )


def _check_alignment(case: Case, windows: Windows, request: int) -> Found:
    """AUD007, AUD010: checks the request without the audio's length, as if it were long enough."""
    fps = audio_rate_of(case.requested, case.settings)
    used = count_yielded_frames(request, fps)
    endless = make_plan(Sound(request / fps, request), fps, windows)
    if used < request and endless.recommended and endless.recommended.frames == request:
        requested = endless.recommended.request
        yield Fault(
            "AUD010",
            case.requested.requested_frames,
            f"A request for {request} frames at {fps:g} fps yields {used}: no longer an aligned count.",
            f"{request} requested, {used} used",
            f"{request} used",
            " ".join(endless.notes),
            (Way("", requested.frames, f"which yields {request}"),) if requested and requested.crop_s is None else (),
        )
        return
    if endless.recommended and endless.recommended.frames == used:
        return
    missing = windows.rendered(used) - used
    yield Fault(
        "AUD007",
        case.requested.requested_frames,
        f"{request} frames are not aligned: if the audio is long enough, padding drives the last {missing} of the "
        f"{used + missing} rendered frames.",
        f"{request} frames",
        "an aligned count (`loganalyze plan --table` lists them)",
        _fix_text(endless, f"request {endless.next_aligned.frames} if the audio is long enough"),
        _ways(endless),
    )


def _ways(made: Plan) -> tuple[Way, ...]:
    shorter, longer = _largest_plain_choice(made), made.next_aligned
    ways = [Way("longer", longer.frames, f"{longer.frames} frames; the audio must be that long")]
    if shorter and shorter.request:
        ways.insert(0, Way("shorter", shorter.request.frames, f"{shorter.frames} frames, all with audio"))
    return tuple(ways)


def _largest_plain_choice(made: Plan) -> Choice | None:
    """Returns the largest aligned count that fits and that a request alone yields, without cropping the audio."""
    choice = made.recommended
    while choice and choice.request and choice.request.crop_s is not None:
        shorter = Sound(made.sound.seconds, choice.frames - 1, made.sound.speakers, made.sound.multi)
        choice = make_plan(shorter, made.fps, made.windows).recommended
    return choice


def _fix_text(made: Plan, more: str = "") -> str:
    """Returns the fix, first the way that never exceeds the audio; `more` describes the next aligned count.

    Nothing is rendered yet, so trimming wastes the frames that are cut off.
    """
    longer, shorter = made.next_aligned, _largest_plain_choice(made)
    more = more or _longer_phrase(made)
    if shorter is None or shorter.request is None:
        return _as_sentence(more)
    back = f"; or render as is, then trim the video: {_trim_command(made.cut_back, made.fps)}" if made.cut_back else ""
    unused = (made.sound.frames - shorter.frames) / made.fps
    lost = f"nothing missing, {unused:.2f} s of the audio unused" if unused > 0 else "nothing missing"
    near = f" Only {longer.missing_frames / made.fps:.2f} s is missing." if made.is_longer_cheaper else ""
    return f"Set num_frames to {shorter.request.frames} ({shorter.frames} frames, {lost}){back}; or {more}.{near}"


def _longer_phrase(made: Plan) -> str:
    frames = made.next_aligned.frames
    setting = f"num_frames = {find_request(frames, made.fps).frames}"
    way = advice.extend_audio(frames, made.fps, setting)
    return f"{way.text[0].lower()}{way.text[1:]} `{way.command}`"


def _trim_command(choice: Choice, fps: float) -> str:
    return f"`{advice.trim_video(choice.frames, fps).command}`"


def _check_crops(case: Case, windows: Windows, request: int) -> Found:
    """AUD009: compares audio crops with the requested frames; a difference of one frame is rounding.

    Audio longer than the request is fine if the request is the largest aligned count that it fills.
    """
    fps = audio_rate_of(case.requested, case.settings)
    used = count_yielded_frames(request, fps)
    for crop in case.requested.crops:
        available = int(crop.seconds * fps)
        fits = make_plan(Sound(crop.seconds, available), fps, windows).recommended
        if abs(available - request) <= 1 or (fits and fits.frames == used < available):
            continue
        out = windows.rendered(min(available, used))
        end = "the rest of the audio is never used" if available > request else "the audio ends earlier"
        ways = [f"request {fits.request.frames} frames"] if fits and fits.request else []
        if available < request:
            ways.append(f"crop the audio to {request / fps:g} s, if it is that long")
        yield Fault(
            "AUD009",
            crop.duration or case.requested.requested_frames,
            f"Node {crop.node_id} ({crop.title}) crops the audio to {crop.seconds:g} s, which is {available} frames at "
            f"{fps:g} fps. {request} frames are requested, and {out} are rendered: {end}.",
            f"{crop.seconds:g} s, {available} frames",
            f"{request / fps:g} s, {request} frames",
            _as_sentence(", or ".join(ways) or f"supply audio for {windows.window} frames"),
        )


def _as_sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def check_rates(case: Case) -> Found:
    """AUD006, AUD008: checks that audio and video have the configured frame rate."""
    audio, wanted = case.requested.fps, case.settings.fps
    if audio.value is None:
        yield NotChecked("AUD006", audio.reason)
        yield NotChecked("AUD008", audio.reason)
        return
    audio_rate = parse_rate(audio)
    if audio_rate is None:
        yield from (NotChecked(rule, f"{locate(audio)} is not a frame rate") for rule in ("AUD006", "AUD008"))
        return
    if audio.value != wanted:
        yield _rate_fault(
            "AUD006", audio, f"The audio is read at {audio.value:g} frames per second, not {wanted:g}.", wanted
        )
    yield from check_video_rates(case, audio_rate, wanted)


def check_video_rates(case: Case, audio_rate: float, wanted: float) -> Found:
    """AUD008: compares the rate of the nodes that write the video with the rate at which the audio is read."""
    for video in case.requested.video_fps:
        if video.value is None:
            yield NotChecked("AUD008", f"{locate(video)}: {video.reason}")
        elif parse_rate(video) is None:
            yield NotChecked("AUD008", f"{locate(video)} is not a frame rate")
        elif parse_rate(video) != audio_rate:
            message = (
                f"The video is written at {video.value:g} frames per second, but its audio is read at {audio_rate:g}: "
                "the mouth drifts from the sound."
            )
            yield _rate_fault("AUD008", video, message, wanted)


def _rate_fault(rule: str, place: Value, message: str, wanted: float) -> Fault:
    number = int(wanted) if float(wanted).is_integer() else wanted
    other = " If another rate is meant, set `fps` in the configuration." if rule == "AUD006" else ""
    return Fault(
        rule, place, message, f"{place.value:g} fps", f"{wanted:g} fps",
        f"Set {locate(place)} to {wanted:g}.{other}", (Way("", number, "the configured rate"),),
    )  # fmt: skip
