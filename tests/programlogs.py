"""Logs of programs that sample by themselves, written by hand in their formats."""

from __future__ import annotations

from nativelogs import refresh

PROFILE = ", start_allocated 16.500 GiB, peak_allocated {peak:.3f} GiB, peak_delta 4.000 GiB, peak_reserved 25.125 GiB"


def loguru(message: str, second: int = 0) -> str:
    return f"2026-08-29 09:{second // 60:02}:{second % 60:02}.500 | INFO     | lightx2v.runner:main:12 - {message}\n"


def lightx2v_window(number: int, count: int, steps: int = 4, *, profiled: bool = True, peak: float = 22.5) -> str:
    text = loguru(f"start InfiniteTalk segment {number}/{count}", 100 * number)
    for n in range(1, steps + 1):
        text += loguru(f"==> step_index: {n} / {steps}", 100 * number + 6 * n)
        if profiled:
            cost = f"infer_main cost {5 + n / 10:.6f} seconds"
            text += loguru(f"[Profile] Single GPU - {cost}{PROFILE.format(peak=20.25)}", 100 * number + 6 * n + 5)
    if profiled:
        whole = f"segment end2end {number}/{count} cost 24.500000 seconds"
        text += loguru(f"[Profile] Single GPU - {whole}{PROFILE.format(peak=peak)}", 100 * number + 40)
    return text


def lightx2v_begins(audio: int, windows: int) -> str:
    return loguru(f"InfiniteTalk expected_frames: {audio}, fps: 25, duration: {audio / 25:.3f}s") + loguru(
        f"InfiniteTalk video segments: {windows}"
    )


def lightx2v(audio: int, windows: int, *, profiled: bool = True, saved: bool = True) -> str:
    shown = "".join(lightx2v_window(number, windows, profiled=profiled) for number in range(1, windows + 1))
    return lightx2v_begins(audio, windows) + shown + (loguru("Video saved to talk.mp4", 900) if saved else "")


def bare_bar(steps: int = 4, step_s: float = 9.5) -> str:
    text = refresh(0, steps, 0, "?it/s")
    for n in range(1, steps + 1):
        text += refresh(n, steps, n * step_s, f"{step_s:5.2f}s/it")
    return text + refresh(steps, steps, steps * step_s, f"{step_s:5.2f}s/it") + "\n"


def meigen(windows: int, *, saved: int | None = 250, quant: str = "None", motion: int = 9, end: bool = True) -> str:
    arguments = (
        "task='infinitetalk-14B', size='infinitetalk-720', frame_num=81, max_frame_num=800, quant_dir=None, "
        "lora_dir=['w/Distill.safetensors', 'w/Style.safetensors'], lora_scale=[1.0, 0.4], base_seed=7, "
        f"motion_frame={motion}, mode='streaming', sample_steps=6, use_teacache=False, quant={quant}, extra=1.0"
    )
    text = f"[2026-09-19 11:00:00,500] INFO: Generation job args: Namespace({arguments})\n"
    text += "[2026-09-19 11:00:09,500] INFO: Generating video ...\n" + bare_bar(6) * windows
    if saved is not None:
        text += f"Saving video: 100%|##########| {saved}/{saved} [00:03<00:00, 70.10it/s]\n"
    return text + ("[2026-09-19 11:09:00,500] INFO: Finished.\n" if end else "")


def wan2gp_loads(file: str = "wan2.1_image2video_720p_14B_quanto_mbf16_int8.safetensors") -> str:
    return f"Loading Model '/opt/Wan2GP/ckpts/{file}' ...\n"


def wan2gp_saves(name: str = "a") -> str:
    return f"New video saved to Path: outputs/{name}.mp4\n"
