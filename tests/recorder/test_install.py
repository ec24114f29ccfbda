"""Installing the recorder: into which folders, over which files, and what is left behind."""

from __future__ import annotations

import ast
import hashlib
import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from loganalyzer.cli.group import main
from loganalyzer.recorder import extension, install

FILE = Path("custom_nodes", "loganalyzer_recorder", "__init__.py")


def call(*words: object) -> Result:
    return CliRunner().invoke(main, ["recorder", *map(str, words)])


@pytest.fixture
def comfyui(tmp_path: Path) -> Path:
    folder = tmp_path / "portable" / "ComfyUI"
    (folder / "comfy").mkdir(parents=True)
    (folder / "main.py").touch()
    return folder


def signed(version: str, body: bytes) -> bytes:
    """A file as this program installed it in that version."""
    return f"# loganalyzer recorder {version}\n# sha256 {hashlib.sha256(body).hexdigest()}\n".encode() + body


# --------------------------------------------------------------------------------------------------------- the file


def test_the_extension_is_one_file_of_the_standard_library_for_python_3_9() -> None:
    tree = ast.parse(install.SOURCE.read_text(encoding="utf-8"), feature_version=(3, 9))
    imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in imported} <= sys.stdlib_module_names


def test_the_installed_file_states_its_version_and_the_digest_of_the_rest() -> None:
    first, second, body = install.shipped_file().split(b"\n", 2)
    assert first == f"# loganalyzer recorder {extension.VERSION}".encode()
    assert second == f"# sha256 {hashlib.sha256(body).hexdigest()}".encode()
    compile(install.shipped_file(), "__init__.py", "exec")


# ---------------------------------------------------------------------------------------------------------- folders


@pytest.mark.parametrize("given", [".", "..", "custom_nodes"], ids=["comfyui", "portable", "custom_nodes"])
def test_the_path_may_be_comfyui_the_portable_folder_or_custom_nodes(given: str, comfyui: Path) -> None:
    (comfyui / "custom_nodes").mkdir()
    assert call("install", comfyui / given).exit_code == 0
    assert (comfyui / FILE).read_bytes() == install.shipped_file()


def test_custom_nodes_of_a_base_directory_needs_no_comfyui_around(tmp_path: Path) -> None:
    (tmp_path / "custom_nodes").mkdir()
    assert call("install", tmp_path / "custom_nodes").exit_code == 0
    assert (tmp_path / FILE).is_file()


@pytest.mark.parametrize("words", [("install",), ("uninstall",), ("status",)])
def test_a_folder_that_is_no_comfyui_is_refused_with_the_way_out(words: tuple[str], tmp_path: Path) -> None:
    result = call(*words, tmp_path)
    assert result.exit_code == 2
    assert f"{tmp_path}: is not a ComfyUI: main.py and comfy/ are not in it" in result.output
    assert "its custom_nodes folder" in result.output
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    result = call("install", tmp_path / "nowhere")
    assert result.exit_code == 2
    assert "there is no such folder" in result.output


# ------------------------------------------------------------------------------------------------- states and changes


@pytest.mark.parametrize(
    ("content", "state", "version"),
    [
        (None, "not installed", None),
        (install.shipped_file(), "installed", extension.VERSION),
        (install.shipped_file().replace(b"\n", b"\r\n"), "installed", extension.VERSION),
        (install.SOURCE.read_bytes(), "installed", extension.VERSION),
        (signed("0.9.0", b"print(1)\n"), "outdated", "0.9.0"),
        (signed(extension.VERSION, b"print(1)\n"), "outdated", extension.VERSION),
        (install.shipped_file() + b"# mine\n", "edited by hand", extension.VERSION),
        (signed("0.9.0", b"print(1)\n") + b"#", "edited by hand", "0.9.0"),
        (b"print('another extension')\n", "edited by hand", None),
        (b"", "edited by hand", None),
        (b"\xff\xfe\x00", "edited by hand", None),
    ],
)
def test_the_status_names_the_state_of_the_file(
    content: bytes | None, state: str, version: str | None, comfyui: Path
) -> None:
    if content is not None:
        (comfyui / FILE).parent.mkdir(parents=True)
        (comfyui / FILE).write_bytes(content)
    found = install.inspect_installation(comfyui)
    assert (found.state, found.version) == (state, version)
    result = call("status", comfyui)
    assert result.exit_code == (0 if state == "installed" else 1)
    assert result.output.startswith(f"{state}: ")


def test_the_status_as_json_has_state_versions_and_file(comfyui: Path) -> None:
    call("install", comfyui)
    result = call("status", comfyui, "--json", "-")
    assert json.loads(result.output) == {
        "state": "installed",
        "version": extension.VERSION,
        "available": extension.VERSION,
        "file": str(comfyui / FILE),
    }


def test_the_status_is_not_written_over_the_recorder(comfyui: Path) -> None:
    call("install", comfyui)
    assert call("status", comfyui, "--json", comfyui / FILE).exit_code == 2
    assert (comfyui / FILE).read_bytes() == install.shipped_file()


def test_installing_again_changes_nothing_and_an_outdated_file_is_replaced(comfyui: Path) -> None:
    assert call("install", comfyui).output.startswith("installed: recorder ")
    before = (comfyui / FILE).stat().st_mtime_ns
    assert call("install", comfyui).output.startswith("already installed: recorder ")
    assert (comfyui / FILE).stat().st_mtime_ns == before
    (comfyui / FILE).write_bytes(signed("0.9.0", b"print(1)\n"))
    assert call("install", comfyui).output.startswith("replaced: recorder ")
    assert (comfyui / FILE).read_bytes() == install.shipped_file()


@pytest.mark.parametrize("command", ["install", "uninstall"])
def test_a_file_edited_by_hand_is_kept_unless_forced(command: str, comfyui: Path) -> None:
    (comfyui / FILE).parent.mkdir(parents=True)
    (comfyui / FILE).write_bytes(install.shipped_file() + b"# mine\n")
    result = call(command, comfyui)
    assert result.exit_code == 2
    assert "is edited by hand" in result.output
    assert "--force" in result.output
    assert (comfyui / FILE).read_bytes().endswith(b"# mine\n")
    assert call(command, comfyui, "--force").exit_code == 0
    assert not (comfyui / FILE).exists() or (comfyui / FILE).read_bytes() == install.shipped_file()


def test_uninstalling_leaves_no_trace(comfyui: Path) -> None:
    (comfyui / "custom_nodes" / "other").mkdir(parents=True)
    call("install", comfyui)
    compiled = comfyui / FILE.parent / "__pycache__"
    compiled.mkdir()
    (compiled / "__init__.cpython-312.pyc").touch()
    assert call("uninstall", comfyui).output.startswith("removed: ")
    assert [one.name for one in (comfyui / "custom_nodes").iterdir()] == ["other"]
    assert call("uninstall", comfyui).output.startswith("not installed: ")


def test_uninstalling_keeps_files_that_it_did_not_write(comfyui: Path) -> None:
    call("install", comfyui)
    note = comfyui / FILE.parent / "note.txt"
    note.touch()
    assert call("uninstall", comfyui).exit_code == 0
    assert list(note.parent.iterdir()) == [note]


def test_a_place_that_cannot_be_written_is_an_error_with_the_way_out(comfyui: Path) -> None:
    (comfyui / "custom_nodes").touch()
    result = call("install", comfyui)
    assert result.exit_code == 2
    assert "cannot be created" in result.output


@pytest.mark.parametrize("command", ["install", "uninstall", "status"])
def test_every_command_has_examples_and_its_page(command: str) -> None:
    output = call(command, "--help").output
    assert f"  loganalyze recorder {command} ~/ComfyUI" in output
    assert "docs/recorder.md" in output
