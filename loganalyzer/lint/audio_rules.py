"""AUD: will every frame of the video be driven by audio?"""

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
from loganalyzer.workflow.requested import as_fps as told_rate
from loganalyzer.workflow.values import Value

Found = Iterator[Fault | NotChecked]


_SCHEDULED: Final = ("AUD001", "AUD005", "AUD007", "AUD009", "AUD010")
"""Rules that rest on the schedule; AUD003 rests on the audio alone."""


def rate(asked: SamplerSettings, settings: Settings) -> float:
    """The rate that the audio node is given; the configured one where the workflow does not tell."""
    return told_rate(asked.fps) or settings.fps


def frames(case: Case) -> Found:
    """AUD001, AUD003, AUD005, AUD007, AUD009, AUD010: frames asked for, against the audio and the schedule."""
    asked = case.asked.requested_frames
    request = as_int(asked)
    if request is None or request < 1:
        reason = asked.reason or f"{locate(asked)} is not a number of frames"
        yield from (NotChecked(rule, reason) for rule in (*_SCHEDULED, "AUD003"))
        return
    if case.windows is None:
        places = (case.asked.window_frames, case.asked.motion_frames, case.asked.drop_frames)
        reason = next((place.reason for place in places if place.reason), "the schedule is impossible")
        yield from (NotChecked(rule, reason) for rule in _SCHEDULED)
    if case.sound is None:
        rules = ("AUD003",) if case.windows is None else ("AUD001", "AUD003", "AUD005")
        yield from (
            NotChecked(rule, "the audio's length is not known: name the file or its length with --audio")
            for rule in rules
        )
    else:
        yield from _too_many(case, request, case.sound)
    if case.windows is not None:
        yield from _on_schedule(case, case.windows, request)


def _on_schedule(case: Case, windows: Windows, request: int) -> Found:
    if case.sound is None:
        yield from _unaligned(case, windows, request)
    else:
        yield from _missing(case, windows, request, case.sound)
    yield from _crops(case, windows, request)


def _too_many(case: Case, request: int, sound: Sound) -> Found:
    if request <= sound.frames + 1:
        return
    made = make_plan(sound, rate(case.asked, case.settings), case.windows) if case.windows else None
    yield Fault(
        "AUD003",
        case.asked.requested_frames,
        f"{request} frames are asked for, the audio ({case.sound_from}) has {sound.frames}.",
        f"{request} frames",
        f"{sound.frames} frames at most",
        _way_text(made) if made else f"Set num_frames to {sound.frames} or less.",
        _ways(made) if made else (),
    )


def _missing(case: Case, windows: Windows, request: int, sound: Sound) -> Found:
    """AUD001, AUD005: what the embedding will really have are the audio's frames, or those asked for."""
    fps = rate(case.asked, case.settings)
    used = count_yielded_frames(request, fps, sound.speakers, sound.multi)
    made = make_plan(sound, fps, windows)
    if used < windows.window:
        gap = windows.window - used
        yield Fault(
            "AUD005",
            case.asked.requested_frames,
            f"{plural(used, 'frame')} of audio do not fill one window of {windows.window}: the last {gap} repeat one "
            "mouth shape, without any warning in the log.",
            f"{used} frames",
            f"{windows.window} frames or more",
            f"Supply {gap / fps:.2f} s more audio and ask for {windows.window} frames, or cut the video to {used}.",
        )
        return
    missing = windows.rendered(used) - used
    if missing:
        yield Fault(
            "AUD001",
            case.asked.requested_frames,
            f"{plural(missing, 'frame')} ({missing / fps:.2f} s) will be missing: {used} frames of audio make "
            f"{plural(windows.count(used), 'window')}, which need {used + missing}.",
            f"{request} asked for, {used} used, {used + missing} needed",
            "an aligned count that the audio fills",
            _way_text(made),
            _ways(made),
        )


def _unaligned(case: Case, windows: Windows, request: int) -> Found:
    """Without the audio's length: what happens if it is long enough."""
    fps = rate(case.asked, case.settings)
    used = count_yielded_frames(request, fps)
    endless = make_plan(Sound(request / fps, request), fps, windows)
    if used < request and endless.recommended and endless.recommended.frames == request:
        asked = endless.recommended.request
        yield Fault(
            "AUD010",
            case.asked.requested_frames,
            f"A request for {request} frames at {fps:g} fps yields {used}: no longer an aligned count.",
            f"{request} asked for, {used} used",
            f"{request} used",
            " ".join(endless.notes),
            (Way("", asked.frames, f"which yields {request}"),) if asked and asked.crop_s is None else (),
        )
        return
    if endless.recommended and endless.recommended.frames == used:
        return
    missing = windows.rendered(used) - used
    yield Fault(
        "AUD007",
        case.asked.requested_frames,
        f"{request} frames are not aligned: where the audio is that long or longer, the last {missing} of the "
        f"{used + missing} rendered frames are driven by padding.",
        f"{request} frames",
        "an aligned count (`loganalyze plan --table` lists them)",
        _way_text(endless, f"ask for {endless.next_aligned.frames}, if the audio is that long"),
        _ways(endless),
    )


def _ways(made: Plan) -> tuple[Way, ...]:
    shorter, longer = _plainly(made), made.next_aligned
    ways = [Way("longer", longer.frames, f"{longer.frames} frames; the audio has to be that long")]
    if shorter and shorter.request:
        ways.insert(0, Way("shorter", shorter.request.frames, f"{shorter.frames} frames, all driven by audio"))
    return tuple(ways)


def _plainly(made: Plan) -> Choice | None:
    """The largest aligned count that fits and that a request alone yields, without cutting the audio."""
    choice = made.recommended
    while choice and choice.request and choice.request.crop_s is not None:
        shorter = Sound(made.sound.seconds, choice.frames - 1, made.sound.speakers, made.sound.multi)
        choice = make_plan(shorter, made.fps, made.windows).recommended
    return choice


def _way_text(made: Plan, more: str = "") -> str:
    """The ways out, the one that never exceeds the audio first; `more` says what the next aligned count asks for.

    Nothing is rendered yet, so that trimming costs the frames that are cut off.
    """
    longer, shorter = made.next_aligned, _plainly(made)
    more = more or _longer(made)
    if shorter is None or shorter.request is None:
        return _sentence(more)
    back = f"; or render as asked, then trim the video: {_trimmed(made.cut_back, made.fps)}" if made.cut_back else ""
    unused = (made.sound.frames - shorter.frames) / made.fps
    lost = f"nothing missing, {unused:.2f} s of the audio unused" if unused > 0 else "nothing missing"
    near = f" Only {longer.missing_frames / made.fps:.2f} s is missing." if made.is_longer_cheaper else ""
    return f"Set num_frames to {shorter.request.frames} ({shorter.frames} frames, {lost}){back}; or {more}.{near}"


def _longer(made: Plan) -> str:
    frames = made.next_aligned.frames
    setting = f"num_frames = {find_request(frames, made.fps).frames}"
    way = advice.extend_audio(frames, made.fps, setting)
    return f"{way.text[0].lower()}{way.text[1:]} `{way.command}`"


def _trimmed(choice: Choice, fps: float) -> str:
    return f"`{advice.trim_video(choice.frames, fps).command}`"


def _crops(case: Case, windows: Windows, request: int) -> Found:
    """AUD009: cuts of the audio beside the frames asked for; a frame of difference is rounding.

    Audio that is longer than the request is no fault where the request is the largest aligned count that it fills.
    """
    fps = rate(case.asked, case.settings)
    used = count_yielded_frames(request, fps)
    for crop in case.asked.crops:
        there = int(crop.seconds * fps)
        fits = make_plan(Sound(crop.seconds, there), fps, windows).recommended
        if abs(there - request) <= 1 or (fits and fits.frames == used < there):
            continue
        out = windows.rendered(min(there, used))
        end = "the rest of the audio is never used" if there > request else "the audio ends before that"
        ways = [f"ask for {fits.request.frames} frames"] if fits and fits.request else []
        if there < request:
            ways.append(f"cut the audio to {request / fps:g} s, if it is that long")
        yield Fault(
            "AUD009",
            crop.duration or case.asked.requested_frames,
            f"Node {crop.node_id} ({crop.title}) cuts the audio to {crop.seconds:g} s, which is {there} frames at "
            f"{fps:g} fps. {request} frames are asked for, and {out} come out: {end}.",
            f"{crop.seconds:g} s, {there} frames",
            f"{request / fps:g} s, {request} frames",
            _sentence(", or ".join(ways) or f"supply audio for {windows.window} frames"),
        )


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def rates(case: Case) -> Found:
    """AUD006, AUD008: one rate for audio and video, the configured one."""
    audio, wanted = case.asked.fps, case.settings.fps
    if audio.value is None:
        yield NotChecked("AUD006", audio.reason)
        yield NotChecked("AUD008", audio.reason)
        return
    told = told_rate(audio)
    if told is None:
        yield from (NotChecked(rule, f"{locate(audio)} is no frame rate") for rule in ("AUD006", "AUD008"))
        return
    if audio.value != wanted:
        yield _rate_fault(
            "AUD006", audio, f"The audio is read at {audio.value:g} frames per second, not {wanted:g}.", wanted
        )
    yield from video_rates(case, told, wanted)


def video_rates(case: Case, told: float, wanted: float) -> Found:
    """AUD008: the rate of the nodes that write the video, against that at which the audio is read."""
    for video in case.asked.video_fps:
        if video.value is None:
            yield NotChecked("AUD008", f"{locate(video)}: {video.reason}")
        elif told_rate(video) is None:
            yield NotChecked("AUD008", f"{locate(video)} is no frame rate")
        elif told_rate(video) != told:
            message = (
                f"The video is written at {video.value:g} frames per second, its audio read at {told:g}: the "
                "mouth drifts away from the sound."
            )
            yield _rate_fault("AUD008", video, message, wanted)


def _rate_fault(rule: str, place: Value, message: str, wanted: float) -> Fault:
    number = int(wanted) if float(wanted).is_integer() else wanted
    other = " If another rate is meant, set `fps` in the configuration." if rule == "AUD006" else ""
    return Fault(
        rule, place, message, f"{place.value:g} fps", f"{wanted:g} fps",
        f"Set {locate(place)} to {wanted:g}.{other}", (Way("", number, "the configured rate"),),
    )  # fmt: skip
