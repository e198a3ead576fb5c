"""The server of the page that simulates: whom it answers, what it can be asked, and that its numbers are the engine's."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.unit.test_whatif import DESKS
from zonesim.faults import ScenarioFault
from zonesim.jobs import serve

EVERYWHERE = ".".join("0000")
WORD = "word"


@pytest.fixture
def desks(tmp_path):
    """A scenario to serve."""
    file = tmp_path / "desks.yaml"
    file.write_text(DESKS, encoding="utf-8")
    return serve.served(file, ["zones.Z.desk.units=1"], "file")


@pytest.fixture
def ask(desks):
    """Ask the server, which runs in this process: return status and text."""
    pytest.importorskip("starlette", reason="needs starlette")

    def asked(path, body=None, token="", query="", **headers):
        app = serve.application([desks], "en", ThreadPoolExecutor(1), 1, token, serve.LOOPBACK)
        told = {"status": 0, "body": b""}

        async def receive():
            return {"type": "http.request", "body": b"" if body is None else json.dumps(body).encode()}

        async def send(message):
            told["status"] = message.get("status", told["status"])
            told["body"] += message.get("body", b"")

        named = {"host": "localhost:8765", **headers}
        scope = {
            "type": "http",
            "method": "GET" if body is None else "POST",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in named.items()],
        }
        asyncio.run(app(scope, receive, send))
        return told["status"], told["body"].decode()

    return asked


def test_a_replication_is_that_of_the_engine(ask, desks):
    """
    What a page asks for, measures and levels of levers, is run by the engine of this machine; the file's own settings
    hold too.
    """
    status, text = ask("/run/0", {"measures": [], "levels": {"Z.desk": 2}, "replication": 3})
    told = serve.replicate(desks, (), ("zones.Z.desk.units=3",), 3)

    assert status == 200
    assert json.loads(text) == json.loads(json.dumps(told))
    assert any(value for value in told["values"])
    assert told["values"] != serve.replicate(desks, (), (), 3)["values"]


def test_the_same_token_is_followed_in_both_arms(ask):
    """
    The slowest of a flow where nothing is changed, and the same one in the other arm: its steps with their labels. One
    that does not exist is told.
    """
    status, text = ask("/run/0", {"measures": [], "levels": {}, "replication": 0, "trace": "slowest:f"})
    first = json.loads(text)
    more = {"measures": [], "levels": {"Z.desk": 2}, "replication": 0, "trace": first["token"]}
    second = json.loads(ask("/run/0", more)[1])

    assert status == 200
    assert first["token"].startswith("a#")
    assert second["token"] == first["token"]
    ((step, child, queued, started, ended),) = first["traced"]
    assert (child, started, ended) == (0, -1, -1)  # the queue at one desk only grows
    assert second["traced"][0][2] == queued
    assert second["traced"][0][4] > second["traced"][0][3] >= queued
    assert first["labels"]["zh"][first["steps"][step]]
    assert "no traffic 'b'" in json.loads(ask("/run/0", {**more, "trace": "b#0"})[1])["fault"]


def test_pages_are_listed_and_shown(ask):
    """
    `/` lists the files, `/page/0` is the page of the first; labels are text in both.
    """
    status, text = ask("/")
    assert (status, "/page/0" in text) == (200, True)
    status, text = ask("/page/0")
    assert (status, "connect-src 'self'" in text, "<script>alert" in text) == (200, True, False)
    assert ask("/page/1") == (404, "no such scenario")


def test_strangers_are_refused(ask):
    """
    Another host's name, another page's origin, a missing token; and what no page asks.
    """
    run = {"measures": [], "levels": {}, "replication": 0}

    assert ask("/", host="evil.example")[0] == 400
    assert ask("/run/0", run, origin="http://evil.example") == (403, "asked from another page")
    assert ask("/", token=WORD) == (403, "the token is missing or wrong")
    assert ask("/", token=WORD, query=f"token={WORD}")[0] == 200
    for wrong in (
        {**run, "measures": ["m99"]},
        {**run, "levels": {"Z.desk": 99}},
        {**run, "levels": {"Z.desk": -1}},
        {**run, "levels": {"../etc": 0}},
        {**run, "replication": 10**9},
        {**run, "trace": {"source": 1}},
        {**run, "trace": "a#0" * 100},
        [],
        {**run, "more": "x" * serve.MOST_BYTES},
    ):
        assert ask("/run/0", wrong) == (400, "not asked as the page asks")


def test_what_cannot_be_served_is_refused(desks, monkeypatch):
    """
    A host that others reach without a token, an unknown clock, a machine without the extra: each fault says what to do.
    """
    with pytest.raises(ScenarioFault) as found:
        serve.check_host(EVERYWHERE, "")
    assert str(found.value) == (
        "--host 0.0.0.0: others reach '0.0.0.0', and whoever does could have this machine simulate\n"
        "    Give a --token, which the address of the page then has."
    )
    serve.check_host(EVERYWHERE, WORD)
    serve.check_host("localhost", "")
    with pytest.raises(ScenarioFault, match="no clock 'fast'"):
        serve.served(desks.file, (), "fast")
    monkeypatch.setattr(serve.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ScenarioFault, match="serving takes starlette and uvicorn, which are not installed"):
        serve.check_host("localhost", "")
