"""URLs are told from paths, and shown without what opens a door."""

from __future__ import annotations

import pytest

from loganalyzer.sources import urls


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://h/a.log?v=2", "https://h/a.log?v=2"),
        ("https://h/a.log?sv=2024-01-01&sig=ab%2Fcd", "https://h/a.log?sv=2024-01-01&sig=***"),
        ("https://h/a.log?X-Amz-Credential=AK%2Fx&X-Amz-Date=1", "https://h/a.log?X-Amz-Credential=***&X-Amz-Date=1"),
        ("https://h/a.log?id=abcdefghijklmnop", "https://h/a.log?id=***"),
        ("https://h/a.log?abcdefghijklmnop", "https://h/a.log?***"),
        ("https://ghp_x@h/a.log#access_token=x", "https://***@h/a.log"),
        ("HTTPS://u:p@q@h/a", "https://***@h/a"),
        ("sftp://me:pw@h/a.log", "sftp://me:***@h/a.log"),
        ("abfs://box@account.example/a.log", "abfs://box@account.example/a.log"),
        ("s3://bucket/take#2.log", "s3://bucket/take#2.log"),
    ],
)
def test_a_url_is_shown_without_what_opens_doors(url: str, shown: str) -> None:
    address = urls.parse_url(url)
    assert address is not None
    assert address.shown == shown
    assert urls.mask_secrets(f"cannot open <{url}>", address) == f"cannot open <{shown}>"


@pytest.mark.parametrize("path", [r"C:\logs\x.log", "C://x.log", "./http://x", "a:b.log", "://x", "1s://x", "-"])
def test_a_path_is_no_url(path: str) -> None:
    assert urls.parse_url(path) is None
