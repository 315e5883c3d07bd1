"""The start command: what it prints, and whom it lets in."""

import socket

import pytest

import app
from imagen_demo.ui import app as shell


class Page:
    """A page that is not served."""

    def block_thread(self) -> None:
        pass


@pytest.fixture
def start(monkeypatch, capsys):
    """Run ``app.py`` with arguments and without a server: its lines, and what the server would have been told."""
    told = {}

    def launch(blocks, **options):
        told.update(options)
        return None, "http://127.0.0.1:7860/", None  # what Gradio answers when no public link can be had

    monkeypatch.delenv("SPACE_ID", raising=False)
    monkeypatch.setattr(shell, "build_app", lambda workspace: Page())
    monkeypatch.setattr(shell, "launch", launch)

    def run(*arguments: str) -> tuple[str, dict]:
        monkeypatch.setattr("sys.argv", ["app.py", "--no-browser", *arguments])
        app.main()
        return capsys.readouterr().out, told

    return run


def test_share_without_a_network_says_so_and_serves_here(start):
    lines, told = start("--share")
    assert "share service cannot be reached. The page works on this machine." in lines
    assert told["auth"][0] == "imagen" and told["auth"][1] in lines  # a password all the same
    assert told["server_name"] == "127.0.0.1"


def test_only_this_computer_needs_no_password_and_others_do(start):
    assert start()[1]["auth"] is None
    assert start("--host", "0.0.0.0")[1]["auth"] is not None


def test_a_busy_port_is_passed_over():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert app.free_port("127.0.0.1", port) > port
