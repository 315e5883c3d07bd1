"""Scripts that have to run before Gradio's: its own ``head`` comes too late for them."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from imagen_demo.ui.theme import STATIC


class EarlyScripts:
    """ASGI middleware: puts ``static/language.js`` first into the page."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.script = f"<head><script>{(STATIC / 'language.js').read_text('utf-8')}</script>".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or scope["path"] != "/":
            await self.app(scope, receive, send)
            return
        start, body = {}, b""

        async def send_page(message: Message) -> None:
            nonlocal body
            if message["type"] == "http.response.start":
                start.update(message)
                return
            body += message.get("body", b"")
            if message.get("more_body"):
                return
            page = body.replace(b"<head>", self.script, 1)
            MutableHeaders(scope=start)["content-length"] = str(len(page))
            await send(start)
            await send({"type": "http.response.body", "body": page})

        await self.app(scope, receive, send_page)
