"""Lists every kind of secret, with examples of what is masked and of what stays."""

from __future__ import annotations

from typing import Final

from loganalyzer.redact.credentials import CREDENTIALS, LOOSE
from loganalyzer.redact.judging import has_digit, is_mail, is_mixed, is_person, is_public, is_public_v6, is_readable
from loganalyzer.redact.kind import Kind, token_regex

_PARAMETERS: Final = (
    "x-amz-(?:signature|credential|security-token)|x-goog-(?:signature|credential)|signature|sig|awsaccesskeyid"
    "|googleaccessid|key-pair-id|policy|(?:access_|auth_|api_)?token|api[_-]?key|key|secret|password|auth|credential"
    "|jwt|session|hdnea"
)
_PODS: Final = (
    r"[a-z0-9]{8,20}(?=-\d{1,5}\.proxy\.runpod\.(?:net|io)\b)",
    r"[a-z0-9]{8,20}(?:-[0-9a-f]{6,10})?(?=@ssh\.runpod\.io\b)",
    r"(?<=RUNPOD_POD_ID=)[a-z0-9]{8,20}",
    r"(?<=RUNPOD_POD_HOSTNAME=)[a-z0-9]{8,20}(?:-[0-9a-f]{6,10})?",
)
_HOMES: Final = (
    r"(?<![\w.›-])(?:/var|/usr|/data|/nfs|/export|/mnt(?:/[\w-]{1,32})?)?/homes?/",
    r"(?<![\w.›-])(?:/(?:host_)?mnt/[a-z]|/cygdrive/[a-z]|/[a-z]|/System/Volumes/Data)?/Users/",
    r"(?<![\w.›-])(?:/run)?/media/(?!cdrom\b|usb\b|disk\b|data\b)(?=[^/\s]{1,64}/)",
    r"(?i:%2Fhome%2F|%2FUsers%2F|%5CUsers%5C)",
    r"(?:\\/(?:home|Users)\\/)",
    r"\\{2,4}[\w.-]{1,64}\\{1,2}(?i:users|homes?)\\{1,2}",
    r"(?<![\w/‹~.])~(?=[a-z][\w-]{1,31}/)",
)
_ACCOUNT: Final = r"(?<![\w‹])(?:USER|USERNAME|LOGNAME|SUDO_USER)=[\"']?(?P<account>[\w.-]{1,64})"
_PROMPT: Final = r"(?<![^\s'\"(])(?P<prompt>[a-z_][\w-]{0,31})(?=@[\w.-]{1,64}:[~/][^\s$#]{0,200}[$#](?: |$))"
_WINDOWS_HOME: Final = r"\b[A-Za-z]:(?P<slash>\\\\|\\|/)(?i:users|documents and settings)(?P=slash)"
_UNQUOTED: Final = r"\s:\"'<>|\\,;)\]"

KINDS: Final = (
    Kind(
        "password",
        "user and password, or token, in a URL",
        ("://", ":"),
        (
            r"\b(?:(?i:https?)://(?P<token>[^\s/@?#'\"<>‹]+)(?=@)"
            r"|[A-Za-z][\w+.-]{0,30}://(?P<pair>[^\s/@:?#'\"<>‹]*:[^\s/@?#'\"<>‹]+)(?=@)"
            r"|[A-Za-z][\w+.-]{0,30}://(?P<reserved>[^\s/@:?#'\"<>‹\[]+:(?!\d{1,5}[/?#])[^\s@'\"<>‹]{1,100})(?=@[\w.-]{1,64}))"
            r"|(?<![\w./:@‹-])(?P<bare>[A-Za-z][\w.-]{0,30}:[^\s@:/'\"<>‹]{3,64})(?=@[\w.-]{1,64}:\d{2,5}\b)"
        ),
        {"git clone https://me:s3cr3t@example.org/x.git": "me:s3cr3t", "postgresql://bot:pw@db/x": "bot:pw",
            "http://ada:pa/ss@proxy:3128": "ada:pa/ss",
            "amqp://ada:p#1@queue": "ada:p#1",
            "proxy ada:hunter@gate:3128": "ada:hunter",
        },
        ("ssh://git@github.com/x", "az://container@account/x", "https://example.org/a@b", "https://***@example.org/x",
            "http://127.0.0.1:8188/view?x=a@b", "http://[::1]:8188/a@b", "image:tag@sha256:abc"),
        is_readable,
    ),
    Kind(
        "signed-url",
        "signature, token or key in a URL's parameters",
        ("=",),
        rf"[?&;](?i:{_PARAMETERS})=(?P<value>[^&\s'\"<>#‹]{{6,}})",
        {
            "https://x.org/m.gguf?X-Amz-Signature=9f8e7d6c5b4a&x=1": "9f8e7d6c5b4a",
            "GET /models/1?token=0123456789abcdef": "0123456789abcdef",
        },
        ("https://x.org/m?type=Model&format=SafeTensor", "view?filename=a.png&subfolder=x&key=1"),
    ),
    Kind(
        "huggingface",
        "Hugging Face token",
        ("hf_", "api_org_"),
        token_regex("(?:hf|api_org)_(?:[A-Za-z0-9]{30,}|[A-Za-z0-9]{8,}$)"),
        {"HF_TOKEN=hf_AbCdEfGhIjKlMnOpQrStUvWxYz01234567": "hf_AbCdEfGhIjKlMnOpQrStUvWxYz01234567"},
        ("hf_transfer is enabled", "wan_hf_lora_rank256_bf16.safetensors"),
    ),
    Kind(
        "runpod",
        "RunPod API key",
        ("rpa_",),
        token_regex("rpa_(?:[A-Za-z0-9]{24,}|[A-Za-z0-9]{8,}$)"),
        {"with rpa_ABCDEFGHIJ0123456789KLMNOPQRST01 now": "rpa_ABCDEFGHIJ0123456789KLMNOPQRST01"},
        ("rpa_mode: on",),
    ),
    Kind(
        "github",
        "GitHub or GitLab token",
        ("gh", "glpat-"),
        token_regex(
            "gh[pousr]_(?:[A-Za-z0-9]{30,}|[A-Za-z0-9]{8,}$)",
            "github_pat_[A-Za-z0-9_]{22,}",
            "glpat-[A-Za-z0-9_-]{20,}",
        ),
        {
            "fatal: ghp_abcdefghijklmnopqrstuvwxyz0123456789": "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
            "github_pat_11ABCDEFG0abcdefghijkl_mnopqrstuvw!": "github_pat_11ABCDEFG0abcdefghijkl_mnopqrstuvw",
        },
        ("ghp_short",),
    ),
    Kind(
        "aws",
        "AWS access key and its secret",
        ("akia", "asia", "abia", "acca", "aws_"),
        token_regex(
            r"(?:AKIA|ASIA|ABIA|ACCA)(?:[A-Z2-7]{16}\b|[A-Z2-7]{8,}$)",
            r"(?i:aws_secret_access_key|aws_session_token)[\"']?\s*[=:]\s*[\"']?(?P<value>[A-Za-z0-9/+=]{30,})",
        ),
        {
            "key AKIAIOSFODNN7EXAMPLE": "AKIAIOSFODNN7EXAMPLE",
            "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCY",
        },
        ("ASIA is a continent", "AKIAshort"),
    ),
    Kind(
        "api-key",
        "API key in OpenAI's style, or of a similar service",
        ("sk-", "aiza", "xox", "r8_"),
        token_regex(
            "sk-(?:[A-Za-z0-9_-]{20,}|[A-Za-z0-9_-]{12,}$)",
            "AIza[A-Za-z0-9_-]{30,}",
            "xox[abprs]-[A-Za-z0-9-]{10,}",
            "r8_[A-Za-z0-9]{30,}",
        ),
        {
            "OPENAI sk-proj-abc123DEF456ghi789JKL0": "sk-proj-abc123DEF456ghi789JKL0",
            "xoxb-123456789012-abcdef": "xoxb-123456789012-abcdef",
        },
        ("task-0123456789abcdefghijklmnop", "sk-learn", "sk-this-is-a-long-name-of-a-file"),
        has_digit,
    ),
    Kind(
        "jwt",
        "JSON web token",
        ("eyj",),
        token_regex(r"eyJ[A-Za-z0-9_-]{10,}(?:\.[A-Za-z0-9_-]+){0,2}"),
        {"t=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"},
        ("eyJ", "eyJx.y"),
    ),
    *CREDENTIALS,
    Kind(
        "bearer",
        "credentials after the word bearer",
        ("bearer",),
        r"(?i:\bbearer\s+)(?P<value>[A-Za-z0-9._~+/=-]{12,})",
        {
            "sent as bearer abc123.def456-ghi": "abc123.def456-ghi",
        },
        ("the bearer of bad news", "bearer authentication-is-required"),
        has_digit,
    ),
    Kind(
        "secret",
        "value named token, key or password",
        ("token", "secret", "passw", "key"),
        (
            r"(?i:(?:(?<![\w‹])|_)(?:token|secret|passwd|password|(?:api|access|secret|auth)[_-]?key))[\"']?\s*[=:]\s*"
            r"[\"']?(?P<value>[^\s\"',;&/\\‹()\[\]{}]{8,})"
        ),
        {"UPLOAD_TOKEN=0a1b2c3d4e5f6a7b": "0a1b2c3d4e5f6a7b", '"token": "abcd1234efgh"': "abcd1234efgh"},
        ("max_tokens: 12345678", "token: torch.Size([1])", "tokens = 512", "password: ********"),
        is_mixed,
    ),
    *LOOSE,
    Kind(
        "pod",
        "RunPod pod ID",
        ("runpod",),
        rf"\b(?P<value>{'|'.join(_PODS)})\b",
        {
            "https://ab12cd34ef56gh-8188.proxy.runpod.net/": "ab12cd34ef56gh",
            "RUNPOD_POD_ID=ab12cd34ef56gh": "ab12cd34ef56gh",
        },
        ("https://www.runpod.io/console/pods", "proxy.runpod.net"),
    ),
    Kind(
        "email",
        "e-mail address",
        ("@",),
        r"(?<![\w.%+‹-])[A-Za-z0-9][\w.%+-]{0,63}@(?:[^\W_](?:[^\W_]|-){0,62}\.){1,8}[^\W\d_]{2,24}\b(?!\.?[\w@])",
        {
            "written by Ada.Lovelace+x@example.co.uk.": "Ada.Lovelace+x@example.co.uk",
            "by ada@b\u00fccher.example": "ada@b\u00fccher.example",
        },
        ("git@github.com:x/y.git", "model@fp8.safetensors", "comfyui@gpu0.service", "lora@0.8", "abfs://c@account.example.net/x"),
        is_mail,
    ),
    Kind(
        "user",
        "user name in a path",
        ("home", "users", "documents and settings", "/media/", "~", "user", "logname=", "@"),
        (
            rf"(?:{'|'.join(_HOMES)})(?P<name>[^/%{_UNQUOTED}]{{1,64}})"
            rf"|{_ACCOUNT}|{_PROMPT}"
            rf"|{_WINDOWS_HOME}(?:(?P<spaced>[^\\/:*?\"'<>|\r\n]{{1,64}})(?=[\\/])|(?P<last>[^/{_UNQUOTED}]{{1,64}}))"
        ),
        {
            'File "/home/ada/ComfyUI/main.py"': "ada",
            "/Users/ada/x.log": "ada",
            r"C:\Users\Ada Lovelace\ComfyUI\x": "Ada Lovelace",
            r"C:\\Users\\ada\\x": "ada",
            "/mnt/c/Users/ada/x": "ada",
            "file:///home/ada": "ada",
            "/nfs/home/ada/x": "ada",
            "/export/home/ada/x": "ada",
            "/run/media/ada/DISK/x": "ada",
            "/mnt/nas/homes/ada/x": "ada",
            "/cygdrive/c/Users/ada/x": "ada",
            r"\\nas\homes\ada\x": "ada",
            "file%3A%2F%2F%2Fhome%2Fada%2Fx": "ada",
            r"\/home\/ada\/x": "ada",
            "cd ~ada/ComfyUI": "ada",
            "USER=ada": "ada",
            "ada@gpu-7:~/ComfyUI$ python main.py": "ada",
        },
        (
            "/root/ComfyUI/x", "/home/ubuntu/ComfyUI", "/Users/Shared/x", r"C:\Users\Public\x", "/workspace/ComfyUI",
            "https://example.org/home/page", "/opt/home/x", "/media/video.mp4", "USER=root", "~/ComfyUI",
            "root@pod:/workspace# ls",
        ),
        is_person,
    ),
    Kind(
        "ip",
        "public IPv4 address",
        (".", "-"),
        r"(?<![\w.‹])\d{1,3}(?:\.\d{1,3}){3}(?!\.?\w)|\b(?:ip|ec2|host|static)-(?P<dashed>\d{1,3}(?:-\d{1,3}){3})\b",
        {
            "To see the GUI go to: http://52.14.3.9:8188": "52.14.3.9",
            "request from 52.14.3.9": "52.14.3.9",
            "185.199.108.133 answered": "185.199.108.133",
            "[52.14.3.9] GET /": "52.14.3.9",
            "ec2-52-14-3-9.compute-1.amazonaws.com": "52-14-3-9",
        },
        (
            "http://127.0.0.1:8188", "0.0.0.0:8188", "192.168.0.7", "10.0.0.5:8786", "172.17.0.2", "300.1.1.1", "1.2.3",
            "opencv-python 4.10.0.84", "nvidia-cudnn-cu12==9.10.2.21", "driver 12.8.1.1", "version 120.1.2.3",
            "1.2.3.4.5", "ip-10-0-0-5", "host-1-2-3",
        ),
        is_public,
    ),
    Kind(
        "ipv6",
        "public IPv6 address",
        (":",),
        r"(?<![\w:.‹])[23][0-9A-Fa-f]{3}:(?:[0-9A-Fa-f]{0,4}:){1,6}[0-9A-Fa-f]{0,4}(?![\w:])",
        {"listening on [2a01:4f8:c17::42]:8188": "2a01:4f8:c17::42"},
        ("::1", "fe80::1", "12:34:56", "2025:11:22", "2001:db8::1"),
        is_public_v6,
    ),
)  # fmt: skip
"""The order matters: a secret inside another one is masked with it."""
