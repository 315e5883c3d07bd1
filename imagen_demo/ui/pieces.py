"""Small pieces of HTML of the Train and Models tabs. Everything from outside is escaped here."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterable
from html import escape
from typing import Any, get_type_hints

import gradio as gr
import numpy as np
from PIL import Image

from imagen_demo.data.dataset import Dataset, report
from imagen_demo.errors import UserError
from imagen_demo.media.grid import make_grid
from imagen_demo.studio import jobs
from imagen_demo.training.run import Run, Status
from imagen_demo.ui import widgets
from imagen_demo.ui.texts import i18n, pictures, t, translate, translate_error

PREVIEW = 24  # pictures of the preview of a dataset
PRIVATE = {"api_visibility": "private", "show_progress": "hidden"}  # for events that are the page's own affair


def bound(work: Callable[..., Any], *first: Any) -> Callable[..., Any]:
    """``functools.partial`` for handlers: Gradio sees the rest of the signature, with ``request``."""

    def call(*args: Any, **kwargs: Any) -> Any:
        return work(*first, *args, **kwargs)

    rest = list(inspect.signature(work).parameters.values())[len(first) :]
    hints = get_type_hints(work)
    call.__signature__ = inspect.Signature(rest)  # type: ignore[attr-defined]
    call.__annotations__ = {p.name: hints[p.name] for p in rest if p.name in hints}
    call.__name__ = work.__name__.lstrip("_")
    return call


class Greeting:
    """What a page gets when it opens, all in one event: texts in the visitor's language, menus of what there is.

    An event each would be a request each, before the first picture.
    """

    def __init__(self) -> None:
        self._fills: list[tuple[Callable[[gr.Request], Any], gr.components.Component]] = []

    def add(self, fill: Callable[[gr.Request], Any], component: gr.components.Component) -> None:
        """``component`` gets ``fill(request)``."""
        self._fills.append((fill, component))

    def attach(self, blocks: gr.Blocks) -> None:
        """Once the page is complete."""

        def greet(request: gr.Request) -> list[Any]:
            return [fill(request) for fill, _ in self._fills]

        blocks.load(greet, None, [component for _, component in self._fills], **PRIVATE)


def heading(greeting: Greeting, number: int, title: str, help: str = "") -> None:
    """The heading of a numbered card, in the visitor's language."""
    place = html()
    greeting.add(lambda request: step(number, t(title, request), t(help, request) if help else ""), place)


def confirm(question: str, yes: str, no: str, elem_id: str, greeting: Greeting) -> tuple[Any, Any, Any]:
    """A question that appears in place, with its two answers."""
    with gr.Column(visible=False, elem_id=f"{elem_id}-confirm") as box:
        text = html()
        with gr.Row(elem_classes="tr-buttons"):
            accept = gr.Button(i18n(yes), variant="stop", size="md", elem_id=f"{elem_id}-yes")
            refuse = gr.Button(i18n(no), size="md", elem_id=f"{elem_id}-no")

    def fill(request: gr.Request) -> str:
        return note(t(question, request))

    greeting.add(fill, text)
    return box, accept, refuse


def script_with_texts(file: str, *prefixes: str) -> str:
    """A component's script with its texts inside: components in a hidden column may lose other props."""
    return f"const TEXTS = {json.dumps(widgets.page_texts(*prefixes))};\n{widgets.script(file)}"


def html(elem_id: str | None = None, value: str = "") -> gr.HTML:
    """HTML that looks as ``train.css`` says and takes no room while empty."""
    return gr.HTML(value, elem_id=elem_id, elem_classes="tr-html", apply_default_css=False)


def note(text: str, kind: str = "note") -> str:
    """One sentence; ``kind`` is note, bad or good."""
    role = "alert" if kind == "bad" else "status"
    return f'<p class="tr-{kind}" role="{role}">{escape(text)}</p>' if text else ""


def error(problem: UserError, request: gr.Request | None) -> str:
    """What is wrong, in the visitor's language."""
    return note(translate_error(problem, request), "bad")


def step(number: int, title: str, help: str = "") -> str:
    """A step's heading: its number, its title, one line of help."""
    return f'<div class="tr-step"><i>{number}</i><b>{escape(title)}</b><span>{escape(help)}</span></div>'


def sentences(lines: Iterable[str]) -> str:
    """A list whose first line is the important one."""
    items = [f"<li{' class=first' if number == 0 else ''}>{escape(line)}</li>" for number, line in enumerate(lines)]
    return f'<ul class="tr-list">{"".join(items)}</ul>' if items else ""


def duration(seconds: float | None) -> str:
    """``1:05`` minutes or ``2 h 05``."""
    if seconds is None:
        return "–"
    minutes, rest = divmod(round(max(0.0, seconds)), 60)
    return f"{minutes}:{rest:02d}" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d}"


def bar(fraction: float, label: str) -> str:
    """A progress bar, ``fraction`` 0 to 1; ``label`` says of what."""
    percent = 100 * min(1.0, max(0.0, fraction))
    value = f'role="progressbar" aria-valuemin="0" aria-valuemax="100" aria-valuenow="{percent:.0f}"'
    return f'<div class="tr-bar" {value} aria-label="{escape(label)}"><div style="width:{percent:.1f}%"></div></div>'


def progress(title: str, fraction: float, detail: str, left: str) -> str:
    """A bar with what is being done and how long it will take."""
    end = f"{100 * fraction:.0f} %" + (f" · {left}" if left else "")
    return (
        f'<div class="tr-progress"><div class="tr-row"><b>{escape(title)}</b><span>{escape(end)}</span></div>'
        f'{bar(fraction, title)}<div class="tr-row"><span>{escape(detail)}</span></div></div>'
    )


def picture(image: Image.Image, alt: str) -> str:
    """``image`` inside the page; transparent parts show a checkerboard."""
    alpha = " class=im-alpha" if image.mode == "RGBA" else ""
    return f'<img src="{widgets.data_url(image)}" alt="{escape(alt)}"{alpha}>'


def dataset_report(dataset: Dataset, request: gr.Request | None) -> str:
    """What became of the files, in sentences."""
    lines = [translate(template, values, request) for template, values in report(dataset)]
    if dataset.class_names:
        shown = ", ".join(dataset.class_names[:12]) + (" …" if len(dataset.class_names) > 12 else "")
        lines.append(t("tr_classes", request, names=shown))
    if dataset.channels == 4:
        lines.append(t("tr_alpha", request))
    return sentences(lines)


def dataset_preview(dataset: Dataset, request: gr.Request | None) -> str:
    """Pictures spread over the whole dataset, exactly as the network sees them."""
    chosen = np.linspace(0, len(dataset) - 1, min(PREVIEW, len(dataset))).astype(int)
    image = make_grid(np.asarray(dataset.images[chosen]), columns=8)
    if image.width < 720:
        image = image.resize((image.width * 2, image.height * 2), Image.Resampling.NEAREST)
    text = t("tr_prepared", request, count=len(dataset), side=dataset.resolution)
    return f'<div class="tr-preview">{note(text)}{picture(image, text)}</div>'


def run_head(run: Run, status: Status, memory: float | None, request: gr.Request | None) -> str:
    """Name, state, progress and the numbers that matter."""
    problem = jobs.damage(run)
    state = "damaged" if problem and not status.alive else status.state
    chip = (
        f'<span class="tr-chip {state}" id="train-state" data-state="{state}">{t("tr_state_" + state, request)}</span>'
    )
    percent = f"<em>{100 * status.progress:.0f} %</em>" if status.progress else ""
    facts = [
        (pictures(status.kimg, request), "tr_f_pictures"),
        (f"{status.images_per_second:.0f}" if status.images_per_second else "–", "tr_f_speed"),
        (duration(status.eta), "tr_f_left") if status.alive else None,
        (duration(status.seconds), "tr_f_spent"),
        (f"{memory / 2**30:.1f} GB", "tr_f_memory") if memory and status.alive else None,
        (f"{status.quality:.1f}", "tr_f_quality") if status.quality is not None else None,
    ]
    cells = "".join(f"<div><b>{value}</b><span>{t(key, request)}</span></div>" for value, key in filter(None, facts))
    below = error(problem, request) if state == "damaged" else _sentence(run, status, request)
    return (
        f'<div class="tr-head"><div class="tr-title"><b>{escape(run.name)}</b>{chip}{percent}</div>'
        f'{bar(status.progress, run.name)}<div class="tr-facts">{cells}</div>{coach_line(status, request)}{below}</div>'
    )


def coach_line(status: Status, request: gr.Request | None) -> str:
    """What is happening and what, if anything, is to be done: the coach's one sentence, as long as it is current."""
    advice = status.advice
    if not advice or status.state not in ("training", "paused", "finished"):
        return ""
    if status.state == "finished" and advice.get("level") != "act":
        return ""  # there is nothing more to do
    try:
        text = translate(advice["template"], advice["values"], request)
    except (KeyError, IndexError, ValueError, TypeError, AttributeError):
        return ""  # written by another version
    level = advice.get("level") if advice.get("level") in ("watch", "act") else "fine"
    who = escape(t("tr_coach", request))
    return f'<p class="tr-coach {level}" id="train-coach" role="status"><b>{who}</b> {escape(text)}</p>'


def _sentence(run: Run, status: Status, request: gr.Request | None) -> str:
    if status.error and status.state == "failed":
        template = status.error_template
        return note(translate(template, status.error_values, request) if template else status.error, "bad")
    if status.state == "interrupted":
        early = not jobs.can_continue(run)
        return note(t("tr_interrupted_early" if early else "tr_interrupted_help", request), "bad")
    if status.state == "preparing":
        return note(t("tr_starting_help", request))
    if status.state in ("finished", "stopped") and (name := jobs.published(run)):
        return note(t("tr_finished_help", request, name=name), "good")
    return ""


def events(run: Run, request: gr.Request | None, limit: int = 30) -> str:
    """What the coach and the user did, newest first."""
    rows = []
    for row in reversed(run.events()[-limit:]):
        try:
            text, kimg = translate(row["template"], row["values"], request), float(row["kimg"])
        except (KeyError, IndexError, ValueError, TypeError):
            continue  # written by another version
        when = t("tl_at", request, count=pictures(kimg, request)) if kimg else t("tr_at_start", request)
        rows.append(f"<li><span>{when}</span>{escape(text)}</li>")
    if not rows:
        return ""
    return f'<p class="tr-heading">{t("tr_events", request)}</p><ul class="tr-events">{"".join(rows)}</ul>'


def log_tail(run: Run, request: gr.Request | None) -> str:
    """The last lines of the run's log."""
    lines = jobs.tail(run)
    return f'<pre class="tr-log">{escape(chr(10).join(lines)) or t("tr_log_empty", request)}</pre>'
