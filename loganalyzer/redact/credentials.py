"""Kinds of credentials that their context reveals: a secret's name, a flag, a header, a service's prefix, a block."""

from __future__ import annotations

from typing import Final

from loganalyzer.redact.judging import is_credential, is_mixed_case, is_random, is_value, is_value_not_path
from loganalyzer.redact.kind import Kind, token_regex

_NAMES: Final = (
    r"password|(?<!/etc/)passwd|passphrase|pass_phrase|passwort|(?:client|app|shared|consumer|jwt|webhook)?[_-]?secret"
    r"|(?:api|shared[_-]?access|access|secret|auth|account|private|storage|encryption|signing|master|license|subscription|fal|openai"
    r"|wandb|vast|runpod|civitai|replicate|stripe|azure|aws)[_-]?key(?:[_-]id)?"
    r"|(?:auth|access|refresh|session|bearer|bot|security|csrf|xsrf|hf|civitai|github|gitlab|slack|telegram|discord|npm"
    r"|pypi|hub)[_-]?token|connection[_-]?string"
)
_BEFORE: Final = r"(?<![A-Za-z0-9_.‹-])[A-Za-z0-9_.-]{0,60}?"
_VARIABLE: Final = r"(?<![A-Za-z0-9_‹])(?:[A-Z0-9]{1,30}_){1,5}(?:TOKEN|KEY|SECRET|PASS|AUTH)=(?![\d./~])"
"""Environment variables. A number or a path as the value is not a secret."""
_BETWEEN: Final = r"[\"']?\s{0,3}(?:=>|[:=])\s{0,3}"
_VALUE: Final = (
    r"(?:\"(?P<{0}d>[^\"\r\n‹]{{1,400}})\"|'(?P<{0}s>[^'\r\n‹]{{1,400}})'|[\"'](?P<{0}o>[^\"'\r\n‹]{{1,400}})$"
    r"|(?P<{0}>[^\s\"',;&\\‹›()\[\]{{}}]{{1,400}}))"
)
_FLAGS: Final = (
    r"(?:[a-z0-9]{1,20}[_-]){0,3}(?:token|api[_-]?key|access[_-]?key|secret|password|passwd|passphrase|credentials?)"
)
_OWNERS: Final = "my|user|upload|download|service|login|device|admin|app|client|id"

CREDENTIALS: Final = (
    Kind(
        "private-key",
        "private key: its block, or one line of it",
        ("-----begin", "+", "/", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9"),
        (
            r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----(?P<block>[^‹]{1,3000}?)(?=-----END|$)"
            r"|^(?P<line>[A-Za-z0-9+/]{60,76}={0,2})$"
        ),
        {
            "-----BEGIN RSA PRIVATE KEY-----MIIEowIBAAKCAQEA7x-----END RSA PRIVATE KEY-----": "MIIEowIBAAKCAQEA7x",
        },
        ("-----BEGIN CERTIFICATE-----", "a" * 64, "-----BEGIN PRIVATE KEY-----"),
        is_mixed_case,
    ),
    Kind(
        "webhook",
        "secret part of a webhook's or a bot's URL",
        ("hooks", "webhook", "telegram", "bot"),
        (
            r"hooks\.slack\.com/(?:services|workflows|triggers)/(?P<slack>[\w/-]{8,})"
            r"|discord(?:app)?\.com/api/(?:v\d+/)?webhooks/\d+/(?P<discord>[\w-]{4,})"
            r"|api\.telegram\.org/(?:file/)?bot(?P<telegram>\d+:[\w-]{8,})"
            r"|webhook\.office\.com/webhookb2/(?P<office>[\w@/-]{8,})"
            r"|hooks\.zapier\.com/hooks/catch/(?P<zapier>[\w/-]{4,})"
        ),
        {
            "POST https://hooks.slack.com/services/T00/B00/XXXXabcd": "T00/B00/XXXXabcd",
            "https://discord.com/api/webhooks/123/abcDEF-ghi_": "abcDEF-ghi_",
            "https://api.telegram.org/bot123456:AAabcdefgh/sendMessage": "123456:AAabcdefgh",
        },
        ("hooks.slack.com", "https://discord.com/channels/123/456"),
    ),
    Kind(
        "service-token",
        "token with a service's prefix",
        (
            *("pypi-", "npm_", "_live_", "_test_", "whsec_", "ya29.", "gocspx-", "hvs.", "sg.", "gsk_", "nvapi-"),
            *("xapp-", "dckr_pat_", "dop_v1_", "shpat_", "tskey-", "wandb_v1_", "age-secret-key-", "1//", "aa", "sbp_"),
        ),
        token_regex(
            r"pypi-[A-Za-z0-9_-]{16,}",
            r"npm_[A-Za-z0-9]{24,}",
            r"(?:sk|pk|rk)_(?:live|test)_[A-Za-z0-9]{10,}",
            r"whsec_[A-Za-z0-9+/=]{16,}",
            r"ya29\.[A-Za-z0-9_-]{16,}",
            r"1//0[A-Za-z0-9_-]{20,}",
            r"GOCSPX-[A-Za-z0-9_-]{16,}",
            r"hvs\.[A-Za-z0-9_-]{20,}",
            r"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",
            r"(?:gsk|sbp|dckr_pat|dop_v1|shpat|wandb_v1)_[A-Za-z0-9_-]{20,}",
            r"(?:nvapi|xapp|tskey)-[A-Za-z0-9_-]{16,}",
            r"AGE-SECRET-KEY-[A-Z0-9]{20,}",
            r"\d{8,10}:AA[A-Za-z0-9_-]{32,}",
        ),
        {
            "upload with pypi-AgEIcHlwaS5vcmcCJDEyMzQ": "pypi-AgEIcHlwaS5vcmcCJDEyMzQ",
            "sk_live_4eC39HqLyjWDarjtT1": "sk_live_4eC39HqLyjWDarjtT1",
            "oauth ya29.a0AfH6SMBxxxxxxxxxxxx": "ya29.a0AfH6SMBxxxxxxxxxxxx",
        },
        ("npm_config_cache", "unit_test_of_a_node", "pypi-mirror"),
    ),
    Kind(
        "header",
        "cookie or credentials in an HTTP header",
        ("cookie", "authorization", "x-auth"),
        (
            r"(?i:\b(?:set-)?cookie[\"']?\s{0,3}[:=]\s{0,3}[\"']?)"
            r"(?P<cookie>[\w.-]{1,64}=[^\s\"'‹;,]{1,2000}(?:; ?[\w.-]{1,64}=[^\s\"'‹;,]{0,2000}){0,20})"
            r"|(?i:\b(?:proxy-)?authorization[\"']?\s{0,3}[:=]\s{0,3}[\"']?(?:bearer|basic|token|digest|apikey|bot)\s{1,3})"
            r"(?P<value>[^\s\"',‹]{4,2000})"
            r"|(?i:\b(?:proxy-)?authorization[\"']?\s{0,3}[:=]\s{0,3}[\"']?)(?P<plain>[^\s\"',;‹()\[\]{}]{6,2000})(?=[\"',;]|\s|$)"
        ),
        {
            "Cookie: session=abc; theme=dark": "session=abc; theme=dark",
            "Authorization: Bearer abcdefghij": "abcdefghij",
            "'Authorization': 'Basic dXNlcjpwYXNzd29yZDE='": "dXNlcjpwYXNzd29yZDE=",
            "authorization: abcdefgh": "abcdefgh",
        },
        ("cookie: none", "Authorization: Basic auth", "authorization: bearer is", "authorization: required"),
        lambda span: is_value(span) and is_credential(span),
    ),
    Kind(
        "flag",
        "value of a command-line flag for a secret",
        ("--", "-u", "mysql", "mariadb", "sshpass"),
        (
            rf"(?<![\w‹-])--{_FLAGS}(?:=|\s{{1,3}})[\"']?(?P<value>[^\s\"'‹,;]{{2,400}})"
            r"|\bcurl\b[^\r\n‹]{0,300}?\s(?:-u|--user[= ])\s?[\"']?(?P<pair>[^\s\"'‹:]{1,64}:[^\s\"'‹]{1,200})"
            r"|\b(?:mysql|mariadb)[\w-]{0,12}\b[^\r\n‹]{0,300}?\s-p[\"']?(?P<joined>[^\s\"'‹;|&]{1,200})"
            r"|\bsshpass\s{1,3}-p\s?[\"']?(?P<shell>[^\s\"'‹;|&]{1,200})"
        ),
        {
            "python main.py --api-key abcd --listen": "abcd",
            "run --hf-token=hunter2 now": "hunter2",
            "curl -s -u ada:pw https://example.org": "ada:pw",
            "mysql -u root -phunter db": "hunter",
            "sshpass -p hunter ssh gpu": "hunter",
        },
        (
            *("--token --listen", "--max-tokens 12", "--tls-keyfile key.pem", "curl -u", "mysql -u root -p db"),
            *("mysql -P3306 db", "pip install mysql-python"),
        ),
        lambda span: is_value(span) and not span.value.startswith("-"),
    ),
    Kind(
        "named",
        "value whose name means a secret",
        ("pass", "secret", "key", "token", "connection", "auth="),
        (
            rf"{_BEFORE}(?i:pass[_-]?phrase){_BETWEEN}[\"']?(?P<phrase>[^\r\n\"'‹]{{1,200}})"
            rf"|{_BEFORE}(?i:{_NAMES}){_BETWEEN}{_VALUE.format('value')}"
            rf"|{_VARIABLE}{_VALUE.format('variable')}"
        ),
        {
            "password: hunter": "hunter",
            'DB_PASSWORD="correct horse"': "correct horse",
            'passphrase: "correct horse battery"': "correct horse battery",
            "AccountKey=abc/def+ghi==;EndpointSuffix=x": "abc/def+ghi==",
            "FAL_KEY=abc-def": "abc-def",
            "PGPASSWORD=hunter": "hunter",
            "UPLOAD_AUTH=hunter": "hunter",
            "'client_secret': 'abc'": "abc",
        },
        (
            *("password: ********", "the password is wrong", "password: None", "max_tokens: 12", "tokenizer_key: x"),
            *(
                "api_key=None",
                "lora key not loaded: x",
                "secret: false",
                "access_key: $KEY",
                "SSH_KEY=/root/x",
                "/etc/passwd: not found",
                "MAX_TOKEN=512",
            ),
        ),
        is_value,
    ),
    Kind(
        "pwd",
        "password named PWD",
        ("pwd",),
        rf"(?<![A-Za-z0-9‹])(?:[A-Za-z][A-Za-z0-9]{{0,30}}[_.-]){{0,4}}(?i:pwd){_BETWEEN}{_VALUE.format('value')}",
        {"Server=db;Uid=bot;Pwd=hunter;": "hunter", "MYSQL_PWD=abc": "abc"},
        ("PWD=/workspace/ComfyUI", "OLDPWD=/root", "pwd: /home", "PWD=C:/x"),
        is_value_not_path,
    ),
)
"""Kinds that the text around a value reveals, the most certain first."""

LOOSE: Final = (
    Kind(
        "token",
        "value named token, auth or credential",
        ("token", "auth", "credential"),
        rf"(?<![A-Za-z0-9_.‹-])(?i:(?:(?:{_OWNERS})[_-])?token|(?:x-)?auth|credentials?){_BETWEEN}{_VALUE.format('value')}",
        {
            "token=abcdefghij": "abcdefghij",
            "{'token': 'hunter'}": "hunter",
            "x-auth: hunter": "hunter",
            "auth: hunter": "hunter",
            "credentials=hunter": "hunter",
        },
        (
            *("token: None", "token=null", "token: ****", "token=true", "token: torch.Size([1])", "bos_token=abcdef"),
            *("Unexpected token: brace", "motion token: latents", "token=first", "auth: basic", "auth=disabled"),
            *(
                "credentials: same-origin",
                "credentials=/root/key.json",
                "token: 1024",
                "auth: none",
                "token=model.gguf",
            ),
        ),
        is_credential,
    ),
    Kind(
        "spaced",
        "value after a secret's name and a space",
        ("pass", "secret", "key", "token"),
        (
            rf"(?:{_BEFORE}(?i:{_NAMES}|(?:api|access|secret|auth) (?:key|token))"
            r"|(?<![A-Za-z0-9_‹])(?:[A-Z0-9]{1,30}_){0,5}(?:TOKEN|KEY|SECRET|PASS)|(?<![A-Za-z0-9_.‹-])(?i:token))"
            r"[\"']?(?:\s(?i:is))?\s{1,3}[\"']?(?P<value>[A-Za-z0-9_+/=~!@$%^&*.-]{6,400})(?=[\"',;:)]|\s|$)"
        ),
        {
            "export HF_TOKEN ab12cd34": "ab12cd34",
            "the passwd is hunter2": "hunter2",
            "API key abc123def456": "abc123def456",
            "token a1b2c3d4": "a1b2c3d4",
        },
        (
            *(
                "token type ids",
                "password required",
                "api key missing",
                "token 1024",
                "lora key not loaded: blocks.0.attn",
            ),
            *("KEY blocks.0.self_attn", "token model_fp8_e4m3fn.safetensors", "token frame12", "secret key is missing"),
        ),
        is_random,
    ),
)
"""Kinds whose name does not always mean a secret. They run after the more certain kinds."""
