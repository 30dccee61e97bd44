"""Attachments: sniffed types, safe names, harmless cells, and a strict reader."""

from __future__ import annotations

import time

import msgspec
import pytest

from rilon.domain import attachments
from rilon.domain.attachments import File, clean_text, safe_name, sniff
from rilon.errors import InvalidError, MalformedError, RilonError
from tests.fakes.pictures import PNG_HEAD

REFUSED = {
    "pdf": b"%PDF-1.7\n",
    "pdf behind a comment": b"a harmless line\n%PDF-1.7",
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>',
    "svg behind a declaration": b'<?xml version="1.0"?>\n<!DOCTYPE svg><svg/>',
    "html": b"<!doctype html><p>",
    "html in capitals": b"  <HTML><body>",
    "zip": b"PK\x03\x04" + bytes(30),
    "office before 2007": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    "program": b"MZ\x90\x00",
    "bytes": bytes(range(256)),
    "utf-16": "text".encode("utf-16"),
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
def test_what_can_act_or_is_unknown_is_refused_whatever_it_is_called(data: bytes) -> None:
    with pytest.raises(RilonError) as refused:
        assert sniff(data) or clean_text("holiday.jpg", data)
    assert refused.value.code in {"attachment.type", "text.control"}


def test_bytes_say_what_a_file_is() -> None:
    heads = {b"\xff\xd8\xff\xe0": "JPEG", PNG_HEAD: "PNG", b"GIF89a": "GIF", b"RIFF\0\0\0\0WEBPVP8 ": "WEBP", b"a": ""}
    assert {head: sniff(head + b"more") for head in heads} == heads


@pytest.mark.parametrize(
    ("given", "safe"),
    {
        "photo.jpeg": "photo.png",
        "../../etc/passwd": "passwd.png",
        "C:\\Users\\officer\\Desktop\\face.gif": "face.png",
        ".bashrc": "bashrc.png",
        "...": "file.png",
        "a/": "file.png",
        'x"; rm -rf *|.jpg': "x_; rm -rf _.png",
        "con\u0301.jpg": "co\u0144.png",
        "x" * 300: "x" * 76 + ".png",
        "invoice.pdf.exe": "invoice.pdf.png",
        "หนังสือเดินทาง.jpg": "หนังสือเดินทาง.png",
    }.items(),
)
def test_names_are_safe_everywhere(given: str, safe: str) -> None:
    assert safe_name(given, "image/png") == safe
    assert safe_name(safe, "image/png") == safe


@pytest.mark.parametrize("name", ["gpj.\u202etxt", "a\x00b", "a\nb.txt", "\ud800"])
def test_names_that_deceive_are_refused(name: str) -> None:
    with pytest.raises(MalformedError):
        safe_name(name, "text/plain")


FORMULAS = {
    "=1+1": "'=1+1",
    'a,=HYPERLINK("http://x")': 'a,\'=HYPERLINK("http://x")',
    "a;@SUM(1)": "a;'@SUM(1)",
    'a,"+cmd|calc"': 'a,"\'+cmd|calc"',
    "a\t -2+3*cmd": "a\t '-2+3*cmd",
    "a,\uff1d1": "a,'\uff1d1",
    "a,-5": "a,-5",
    "a,+66 81 555 0100": "a,+66 81 555 0100",
    "a,-": "a,-",
    "name,age\nx,-12.5\n=1": "name,age\nx,-12.5\n'=1",
    "e-mail,a=b": "e-mail,a=b",
}


@pytest.mark.parametrize(("given", "harmless"), FORMULAS.items())
def test_cells_that_a_spreadsheet_would_run_become_words(given: str, harmless: str) -> None:
    file = clean_text("list.csv", given.encode())
    assert (file.type, file.data.decode()) == ("text/csv", harmless)
    assert clean_text("list.csv", file.data) == file
    assert clean_text("list.txt", given.encode()).data.decode() == given


@pytest.mark.parametrize("run", ["-,", "=", ", ", '"', "- ", "\n=", ";+1"])
def test_no_text_makes_cleaning_slow(run: str) -> None:
    started = time.process_time()
    clean_text("list.csv", ("x" + run * (900_000 // len(run)) + "x").encode())
    assert time.process_time() - started < 5


def some(**changes: object) -> File:
    return File(**({"name": "a.txt", "type": "text/plain", "data": b"words"} | changes))  # type: ignore[arg-type]


def test_what_was_encoded_is_read_again() -> None:
    files = (
        some(),
        some(name="list.csv", type="text/csv", data=b"a,b"),
        some(name="a.png", type="image/png", data=PNG_HEAD),
    )
    assert attachments.decode(attachments.encode(files)) == files


def test_an_item_carries_only_so_much() -> None:
    with pytest.raises(InvalidError, match="8 files"):
        attachments.encode([some()] * 9)
    for sizes in ((attachments.MAX_FILE_BYTES + 1,), (8 << 20, 8 << 20)):
        with pytest.raises(InvalidError, match="MiB"):
            attachments.encode([some(data=bytes(size)) for size in sizes])


UNSOUND = {
    "nothing": b"",
    "no files": b"\x01\x90",
    "no list": b"\x01\xc0",
    "trailing": attachments.encode([some()]) + b"\xc0",
    "another type": attachments.encode([some(name="a.svg", type="image/svg+xml")]),
    "a name that climbs": attachments.encode([some(name="../a.txt")]),
    "a name of another type": attachments.encode([some(name="a.exe")]),
    "an image that is none": attachments.encode([some(name="a.png", type="image/png")]),
    "a text that is an image": attachments.encode([some(data=PNG_HEAD)]),
    "a text that is a document": attachments.encode([some(data=b"%PDF-1.4")]),
    "a live cell": attachments.encode([some(name="a.csv", type="text/csv", data=b"=1+1")]),
    "controls": attachments.encode([some(data=b"a\x1bb")]),
    "unknown fields": b"\x01"
    + msgspec.msgpack.encode([{"name": "a.txt", "type": "text/plain", "data": b"x", "run": 1}]),
    "fields in another order": b"\x01"
    + msgspec.msgpack.encode([{"type": "text/plain", "name": "a.txt", "data": b"x"}]),
    "deep": b"\x01" + b"\x91" * 100_000,
}


@pytest.mark.parametrize("raw", UNSOUND.values(), ids=UNSOUND)
def test_what_no_honest_node_seals_is_refused(raw: bytes) -> None:
    with pytest.raises(MalformedError) as refused:
        attachments.decode(raw)
    assert refused.value.code == "attachment.content"


def test_neither_name_nor_bytes_are_shown() -> None:
    assert repr(some(name="secret.txt", data=b"secret")) == "File(text/plain)"
