"""The examples of docs/api.md, sent in their order to a node: each gets the answer that stands below it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tests.api import api_node

DOC = Path(__file__).parents[3] / "docs" / "api.md"
BLOCKS = re.findall(r"```http\n(.*?)```", DOC.read_text("utf-8"), re.DOTALL)


def alike(told: Any, answered: Any) -> bool:
    """Whether an answer has what the page says; the page may leave out fields, and says … for any text."""
    if isinstance(told, dict):
        return told.keys() <= answered.keys() and all(alike(told[name], answered[name]) for name in told)
    if isinstance(told, list):
        return all(any(alike(each, other) for other in answered) for each in told)
    return told in ("…", answered)


async def test_every_example_gets_its_answer() -> None:
    assert len(BLOCKS) >= 10
    async with api_node(knows=["id", "my"]) as api:
        officer, position, item = await api.client(), 0, ""
        for request, expected in zip(BLOCKS[::2], BLOCKS[1::2], strict=True):
            head, _, body = request.strip().partition("\n\n")
            first, *headers = head.splitlines()
            method, path = first.split(" ")
            given = dict(line.split(": ", 1) for line in headers)
            path = path.replace("{position}", str(position)).replace("{id}", item)
            answer = await officer.call(method, path, body.encode() or None, key=None, headers=given)
            status, _, told = expected.strip().partition("\n")
            assert answer.status_code == int(status), answer.text
            position = answer.json().get("position", position)
            item = answer.json().get("id", item)
            wanted = json.loads(told) | ({"position": position} if "position" in json.loads(told) else {})
            assert alike(wanted, answer.json()), answer.text
