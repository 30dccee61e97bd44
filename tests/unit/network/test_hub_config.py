"""The hub's configuration: the example in ``deploy`` is what the code writes, and it says what it must."""

from __future__ import annotations

from pathlib import Path

import pytest

from rilon.errors import MalformedError
from rilon.network.hub_home import HubHome, HubRecord, HubSettings, Tls, render

EXAMPLE = Path(__file__).parents[3] / "deploy" / "nats-hub.conf.example"
FILES = Tls(certificate="/etc/rilon/hub.crt", key="/etc/rilon/hub.key", authority="/etc/rilon/ca.crt")


def record(settings: HubSettings) -> HubRecord:
    return HubRecord(settings, "<operator JWT>", "<signing key>", "<SYS account>", "<HUB account>")


def written(settings: HubSettings) -> str:
    preload = {"<SYS account>": "<JWT of SYS>", "<HUB account>": "<JWT of HUB>"}
    return render(record(settings), Path("/srv/rilon-hub/server"), preload)


def test_the_example_is_what_the_code_writes() -> None:
    assert EXAMPLE.read_text() == written(HubSettings(host="hub.example", leaf_port=7422, tls=FILES))


@pytest.mark.parametrize("settings", [HubSettings(), HubSettings(host="hub.example", leaf_port=7422, tls=FILES)])
def test_what_must_and_must_not_be_there(settings: HubSettings) -> None:
    text = written(settings)
    for line in ("sync_interval: always", "strict: true", "max_payload: 1MB", 'http: "127.0.0.1:', "type: full"):
        assert line in text
    for word in ("no_auth_user", "verify_and_map", "deny_", "compression: s2", "authorization", "users"):
        assert word not in text


def test_tls_guards_both_doors_or_none() -> None:
    assert written(HubSettings(leaf_port=7422, tls=FILES)).count("verify: true, handshake_first: true") == 2
    assert "tls" not in written(HubSettings())
    assert "leafnodes" not in written(HubSettings())


def test_a_path_cannot_break_out_of_its_quotes() -> None:
    text = render(record(HubSettings()), Path('/srv/a "b" $HOME'), {})
    assert r'"/srv/a \"b\" $HOME/store"' in text


@pytest.mark.parametrize(("text", "field"), [("{not json", ""), ('{"settings": 5}', "settings"), ("{}", "settings")])
def test_a_record_that_is_none_is_refused_without_the_decoders_words(tmp_path: Path, text: str, field: str) -> None:
    (tmp_path / "hub.json").write_text(text)
    with pytest.raises(MalformedError, match=r"is not what a hub keeps\. \[hub\.record\]") as caught:
        HubHome.open(tmp_path)
    assert caught.value.field == field
