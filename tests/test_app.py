"""The start command: what it prints, and whom it lets in."""

import socket
import urllib.request

import pytest
from gradio import component_meta

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


def test_a_workspace_that_cannot_be_is_refused_before_there_is_a_page(start, tmp_path):
    (tmp_path / "taken").write_bytes(b"")
    with pytest.raises(SystemExit, match=r"cannot be used .* Choose another folder with --workspace"):
        start("--workspace", str(tmp_path / "taken"))


def test_gradio_does_not_rewrite_its_own_files_at_every_start():
    component_meta.create_or_modify_pyi(int, "int", [])  # Gradio's own function raises: this class has no source file


def test_a_busy_port_is_passed_over():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert app.free_port("127.0.0.1", port) > port


def test_a_tab_closed_in_the_middle_of_an_upload_leaves_the_app_and_the_work_as_they_were(
    workspace, monkeypatch, tmp_path
):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    port = app.free_port("127.0.0.1", 17860)
    blocks = shell.build_app(workspace)
    blocks.launch(prevent_thread_lock=True, quiet=True, server_name="127.0.0.1", server_port=port)
    try:
        head = (
            "POST /gradio_api/upload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000\r\n"
            "Content-Type: multipart/form-data; boundary=cut\r\n\r\n"
        )
        part = '--cut\r\nContent-Disposition: form-data; name="files"; filename="cats.zip"\r\n\r\nPK' + "x" * 5000
        with socket.create_connection(("127.0.0.1", port), timeout=10) as tab:
            tab.sendall((head + part).encode())
        answer = urllib.request.urlopen(f"http://127.0.0.1:{port}/config", timeout=30)
        assert answer.status == 200
        assert list(workspace.datasets.iterdir()) == [] and list(workspace.runs.iterdir()) == []
    finally:
        blocks.close()
