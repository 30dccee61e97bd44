"""Who is asked, and who is not."""

from __future__ import annotations

from pathlib import Path

import pytest
import rich_click as click

from rilon.errors import RefusedError
from rilon.node.commands import common, secret
from rilon.node.commands.alerts import words_of
from rilon.node.commands.explain import _marks


@pytest.fixture
def somebody(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A person at the terminal; what they are going to say."""
    answers: list[str] = []
    monkeypatch.setattr(common, "may_ask", lambda: True)
    monkeypatch.setattr(click, "prompt", lambda *_, **__: answers.pop(0))
    monkeypatch.setattr(click, "confirm", lambda *_, **__: answers.pop(0) == "y")
    return answers


def test_a_yes_is_asked_for_unless_it_was_given(somebody: list[str]) -> None:
    common.confirm("Sign this?", "--yes", given=True)
    somebody[:] = ["y"]
    common.confirm("Sign this?", "--yes", given=False)
    somebody[:] = ["n"]
    with pytest.raises(RefusedError, match=r"cli\.declined"):
        common.confirm("Sign this?", "--yes", given=False)


def test_nobody_says_yes_for_nobody() -> None:
    with pytest.raises(click.UsageError, match="--yes"):
        common.confirm("Sign this?", "--yes", given=False)
    with pytest.raises(click.UsageError, match="--words"):
        common.ask("Words", "--words")


def test_words_are_given_or_asked_for(somebody: list[str]) -> None:
    assert words_of("given", "Reason", "--reason") == "given"
    somebody[:] = ["asked for"]
    assert words_of(None, "Reason", "--reason") == "asked for"


@pytest.mark.parametrize(("content", "found"), [("words of mine\n", "words of mine"), ("a b\r\nc", "a b"), ("x", "x")])
def test_a_passphrase_is_a_files_first_line(tmp_path: Path, content: str, found: str) -> None:
    path = tmp_path / "passphrase"
    path.write_bytes(content.encode())
    assert secret.read_passphrase(path, "Passphrase") == found


def test_nobody_is_asked_for_the_passphrase_of_a_node_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match=r"config\.no-home"):
        secret.home_and_passphrase(tmp_path)


def test_an_empty_passphrase_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "passphrase"
    path.write_text("\n")
    with pytest.raises(RefusedError, match=r"cli\.passphrase-file"):
        secret.read_passphrase(path, "Passphrase")


def test_a_passphrase_is_asked_for_when_no_file_says_it(somebody: list[str]) -> None:
    somebody[:] = ["secret words"]
    assert secret.read_passphrase(None, "Passphrase") == "secret words"


def test_the_nodes_passphrase(monkeypatch: pytest.MonkeyPatch, somebody: list[str], tmp_path: Path) -> None:
    monkeypatch.setattr(secret, "passphrase", _absent)
    somebody[:] = ["typed"]
    assert secret.node_passphrase() == "typed"
    monkeypatch.setattr(secret, "passphrase", lambda: "set")
    assert secret.node_passphrase() == "set"
    monkeypatch.setattr(secret, "passphrase", _broken)
    with pytest.raises(RefusedError, match=r"config\.passphrase-file"):
        secret.node_passphrase()


def _absent() -> str:
    raise RefusedError("config.no-passphrase", "Not given.")


def _broken() -> str:
    raise RefusedError("config.passphrase-file", "Cannot be read.")


def test_tables_are_a_row_a_line_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    common.table(("A", "LONG"), [("[bold]x[/]", "two\nlines"), ("y", "")], "Nothing.")
    assert capsys.readouterr().out == "A           LONG\n[bold]x[/]  two lines\ny\n"


def test_an_empty_table_is_a_sentence_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    common.table(("A",), [], "Nothing.")
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "Nothing.\n")


@pytest.mark.parametrize(("value", "mark"), [("30", 30), ("²", "²"), ("9" * 5000, "9" * 5000), ("clear", "clear")])
def test_a_mark_that_is_no_number_is_left_for_the_node_to_refuse(value: str, mark: object) -> None:
    assert _marks([f"tlp={value}"]) == {"tlp": mark}
