"""Writes the vectors of rule books: ``python -m tests.vectors.make_rules``. See ``make_vectors``."""

from __future__ import annotations

import json
from collections.abc import Iterator

from msgspec.structs import replace

from rilon.crypto import release, strict
from rilon.crypto.approval import METHOD, book_digest
from rilon.domain.book_file import default_book, format_book, parse_book
from tests.fakes.items import OFFICERS
from tests.vectors.make_vectors import HERE, Vector, bad, good

FILE = """[[agreement]]
id = "th-my-2019"
name = "A fictional memorandum"
parties = ["my", "th"]
valid_until = 2029-12-31

[[rule]]
id = "th.neighbour"
effect = "allow"
because = "The memorandum covers persons."
basis = "th-my-2019"
when.sensitivities = ["nominal"]
obliges.days = 30
"""
RULE = '[[rule]]\nid = "a"\neffect = "ask"\nbecause = "So."\n'


def files() -> Iterator[Vector]:
    """What a file says, and what is no rule file."""
    facts = {"member": "th", "version": 2}
    yield good("an agreement and a rule", "read_book", file=FILE.encode().hex(), **facts)
    shuffled = FILE.replace('["my", "th"]', '["th", "my"]').replace("\n\n", "\n\n# a comment\n\n")
    yield good("in other words the same", "read_book", file=shuffled.encode().hex(), **facts)
    obliging = FILE + 'obliges.purposes = ["identify_victim"]\nobliges.court = "no"\n'
    yield good("a rule that obliges", "read_book", file=obliging.encode().hex(), **facts)
    yield good("the default book", "read_book", file=format_book(default_book("th")).encode().hex(), **facts)
    for name, code, text in (
        ("no TOML", "rules.file", "[[rule]\n"),
        ("no rule", "rules.file", '[[law]]\nid = "a"\nname = "b"\n'),
        ("a field that no rule has", "rules.file", RULE + 'colour = "red"\n'),
        ("an effect that there is not", "rules.file", RULE.replace('"ask"', '"maybe"')),
        ("two rules of one id", "rules.repeated", RULE + RULE),
        ("a Member that there is not", "rules.unknown", RULE + 'when.recipients = ["zz"]\n'),
        ("a basis that there is not", "rules.unknown", RULE + 'basis = "nothing"\n'),
        ("an obligation that there is not", "rules.file", RULE + 'obliges.mercy = "yes"\n'),
        ("an obligation that loosens", "rules.file", RULE + 'obliges.court = "yes"\n'),
        ("days that nobody lives", "rules.file", RULE + "obliges.days = 9999\n"),
        ("a caveat that binds no holder", "rules.unknown", RULE + 'obliges.caveats = ["CHILD"]\n'),
        ("words that deceive", "text.bidi", RULE.replace("So.", "So \u202e.")),
    ):
        yield bad(name, code, "read_book", file=text.encode().hex(), **facts)


def signatures() -> Iterator[Vector]:
    """Who signed exactly this book."""
    (officer, key), (other, other_key) = list(OFFICERS.items())[:2]
    book = parse_book(FILE.encode(), "th", 2)

    def consent(digest: bytes) -> release.Approval:
        challenge = release.approval_challenge(digest, b"\6" * 32)
        return release.Approval(officer, key.kid, METHOD, b"\6" * 32, key.sign_pair(challenge))

    given = consent(book_digest(book.digest))
    facts = {"member": "th", "version": 2, "officer": officer, "key": key.public.raw.hex()}
    signed = facts | {"file": FILE.encode().hex(), "given": strict.encode(given).hex()}
    yield good("signed", "verify_book", **signed)
    for name, code, changes in (
        ("another version", "signature.invalid", {"version": 3}),
        ("another Member's", "signature.invalid", {"member": "my"}),
        ("one condition less", "signature.invalid", {"file": FILE.replace("obliges.days = 30\n", "").encode().hex()}),
        ("one word more", "signature.invalid", {"file": FILE.replace("covers", "surely covers").encode().hex()}),
        ("as if it were a release", "signature.invalid", {"given": strict.encode(consent(book.digest)).hex()}),
        ("somebody else's", "approval.officer", {"officer": other}),
        ("another key", "approval.kid", {"key": other_key.public.raw.hex()}),
        ("another nonce", "signature.invalid", {"given": strict.encode(replace(given, nonce=bytes(32))).hex()}),
        ("no approval", "cbor.truncated", {"given": "a1"}),
    ):
        yield bad(name, code, "verify_book", **signed | changes)


if __name__ == "__main__":
    vectors = [*files(), *signatures()]
    lines = ",\n".join(json.dumps(vector) for vector in vectors)
    (HERE / "rules.json").write_text(f"[\n{lines}\n]\n", "utf-8")
