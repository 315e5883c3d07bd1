"""Start Imagen Demo: ``python app.py [--host H] [--port P] [--share] [--workspace DIR]``."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import secrets
import socket
import sys
import threading
import webbrowser

LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Imagen Demo in the browser.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this computer only)")
    parser.add_argument("--port", type=int, default=7860, help="port; the next free one is taken if it is busy")
    parser.add_argument("--share", action="store_true", help="also make a public link (sets a password)")
    parser.add_argument("--password", default=os.environ.get("IMAGEN_DEMO_PASSWORD"),
                        help="for visitors (or IMAGEN_DEMO_PASSWORD); made up where one is needed")  # fmt: skip
    parser.add_argument("--workspace", help="folder of datasets, runs and models (or IMAGEN_DEMO_WORKSPACE)")
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser window")
    parser.add_argument("--mcp", action="store_true", help="also serve the jobs as tools to programs on this computer "
                        "that speak the Model Context Protocol")  # fmt: skip
    return parser.parse_args()


def free_port(host: str, port: int, tries: int = 50) -> int:
    """``port``, or the next one nobody listens on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in range(port, min(port + tries, 65536)):
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            if os.name == "posix":  # a port in TIME_WAIT is free; elsewhere the option means something else
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, candidate))
            except (OSError, OverflowError):  # taken, not ours to take, or no port number
                continue
            return candidate
    sys.exit(f"Ports {port} to {port + tries - 1} on {host} cannot be used; choose others with --host and --port.")


def main() -> None:
    """Serve the page until Ctrl-C."""
    options, on_space = arguments(), "SPACE_ID" in os.environ
    host = "0.0.0.0" if on_space else options.host
    port = options.port if on_space else free_port(host, options.port)
    if port != options.port:
        print(f"Port {options.port} is busy; using {port}.")
    open_to_others = not on_space and (options.share or host not in LOOPBACK)
    password = options.password or (secrets.token_urlsafe(9) if open_to_others else None)

    if options.mcp and (password or on_space):
        sys.exit("--mcp is for programs on this computer: its tools ask for no password, so it goes neither with "
                 "--share nor with --password nor with another --host.")  # fmt: skip
    if not options.mcp:  # Gradio imports it where it finds it, a tenth of the time until the page is there
        sys.modules["mcp"] = None  # type: ignore[assignment]
    from imagen_demo.errors import UserError
    from imagen_demo.ui.app import build_app, launch
    from imagen_demo.workspace import Workspace

    workspace = Workspace.default(options.workspace)
    try:
        workspace.checkpoints  # noqa: B018 - makes the folder, or says why it cannot
    except UserError as error:
        sys.exit(str(error))
    blocks = build_app(workspace)
    with contextlib.redirect_stdout(io.StringIO()):  # Gradio's own lines; what matters of them is said below
        _, url, public = launch(
            blocks, server_name=host, server_port=port, share=options.share and not on_space, quiet=True,
            auth=("imagen", password) if password else None, auth_message="Imagen Demo", prevent_thread_lock=True,
            mcp_server=options.mcp,
        )  # fmt: skip
    print(f"Imagen Demo: {url}", flush=True)
    if options.mcp:
        print(f"MCP (streamable HTTP): {url.rstrip('/')}/gradio_api/mcp/" if blocks.mcp_server else
              f"No MCP: {getattr(blocks, 'mcp_error', '')}", flush=True)  # fmt: skip
    if public:
        print(f"Public link: {public}")
    elif options.share and not on_space:
        print("No public link: the share service cannot be reached. The page works on this machine.")
    if password:
        shown = "(the one you set)" if options.password else password
        print(f"Visitors sign in as: imagen   password: {shown}", flush=True)
    if not (options.no_browser or on_space):
        threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
    blocks.block_thread()


if __name__ == "__main__":
    main()
