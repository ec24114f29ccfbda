"""The loader refuses a pattern file that does not keep its promises, and says why."""

from __future__ import annotations

from pathlib import Path

import pytest

from loganalyzer.common.errors import GrammarError
from loganalyzer.grammar import load
from loganalyzer.grammar.samples import verify_meaning, verify_order
from loganalyzer.records.extraction import NEAR_MISS_EVENTS
from loganalyzer.runs.vocabulary import BARS, FIELDS

BROKEN = Path(__file__).parent.parent / "broken_patterns"
REASONS = {
    "no_second_sample": "key 'sample': at least two samples",
    "sample_does_not_parse": "key 'sample': 'Hallo 3 frames' does not match",
    "sample_states_another_value": "count is 3, but the sample states 4",
    "sample_names_no_hole": "the template has no field 'number'",
    "near_miss_parses": "key 'near': 'Hello 5 frames' matches",
    "near_miss_without_signature": "key 'near': 'Good bye' does not match the signature",
    "unknown_key": "unknown key 'wyh'",
    "missing_key": "the key 'why' is missing",
    "unknown_type": "key 'template': unknown type 'integer'",
    "unknown_fragment": "key 'template': unknown fragment 'count'",
    "open_brace": "key 'template': the template is invalid at column 7",
    "number_runs_on": "key 'template': {count:int} may be followed directly by '0'",
    "text_without_end": "key 'template': {count:text} is at the end",
    "alternatives_begin_alike": "key 'template': all alternatives start with the same part",
    "name_filled_twice": "key 'template': the field 'count' would be filled twice",
    "date_as_text": "key 'since': not a date",
    "unknown_stream": "key 'stream': 'stdlog'",
    "id_twice": "the id 'greeting' is in",
    "nothing_fixed": "no fixed text with which its lines could be found",
    "not_toml": "not a TOML file",
    "other_table": "unknown key 'other'",
}


@pytest.mark.parametrize("reason", sorted(REASONS))
def test_a_broken_file_is_refused_with_file_and_reason(reason: str, tmp_path: Path) -> None:
    (tmp_path / f"{reason}.toml").write_bytes((BROKEN / f"{reason}.toml").read_bytes())
    with pytest.raises(GrammarError) as refused:
        load.load_folder(tmp_path, load.load_fragments())
    assert f"{reason}.toml" in refused.value.message
    assert REASONS[reason] in refused.value.message


def test_every_broken_file_has_its_reason_here() -> None:
    assert {path.stem for path in BROKEN.glob("*.toml")} == set(REASONS)


@pytest.mark.parametrize("pattern", load.load_shipped(), ids=lambda pattern: pattern.id)
def test_shipped_samples_are_read_as_stated_by_the_form_that_defines_them(pattern: load.model.Pattern) -> None:
    verify_meaning(pattern)


def test_shipped_patterns_fill_every_hole_that_the_program_relies_on() -> None:
    filled: dict[str, set[str | None]] = {}
    for pattern in load.load_shipped():
        filled.setdefault(pattern.event, set()).update(field.name for field in load.model.find_fields(pattern.nodes))
    assert NEAR_MISS_EVENTS.keys() <= filled.keys()
    filled |= {event: set() for event in NEAR_MISS_EVENTS.values()}
    wanted = {event: set(names) for event, names in FIELDS.items()}
    missing = {
        event: names - filled.get(event, set()) - {"rate_error"}
        for event, names in wanted.items()
        if names - filled.get(event, set()) - {"rate_error"} or event not in filled
    }
    assert missing == {}


def test_progress_bars_are_the_only_events_whose_name_says_so() -> None:
    assert {p.event for p in load.load_shipped() if p.event.endswith("-bar")} == set(BARS)


def test_a_users_folder_adds_to_the_shipped_patterns(tmp_path: Path) -> None:
    text = (BROKEN / "id_twice.toml").read_text().split("\n\n[[pattern]]")[0]
    (tmp_path / "own.toml").write_text(text)
    assert len(load.load_all((tmp_path,))) == len(load.load_shipped()) + 1


def test_a_folder_that_is_none_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(GrammarError, match="nowhere is not a folder"):
        load.load_all((tmp_path / "nowhere",))


def test_a_prefix_that_an_earlier_one_hides_is_refused() -> None:
    verify_order(load.load_prefixes())
    named = {prefix.id: prefix for prefix in load.load_prefixes()}
    with pytest.raises(GrammarError, match="'syslog': 'syslog-stamp', which comes first, matches the sample") as caught:
        verify_order([named["syslog-stamp"], named["syslog"]])
    assert caught.value.hint == "move 'syslog' above 'syslog-stamp'"
