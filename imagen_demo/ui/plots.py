"""A run's curves: small ones for the page, a complete figure for the download."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import gradio as gr

from imagen_demo.studio.curves import Points, curve, series
from imagen_demo.training.run import Run
from imagen_demo.ui.texts import TEXTS, t

if TYPE_CHECKING:
    from matplotlib.figure import Figure  # takes long to load, and most visitors download no curves

# (elem_id, key of the title, metrics drawn)
PLOTS = (
    ("train-plot-loss", "tr_p_loss", ("loss_g", "loss_d")),
    ("train-plot-logits", "tr_p_logits", ("logits_real", "logits_fake")),
    ("train-plot-quality", "tr_p_swd", ("swd",)),  # or another of QUALITY
    ("train-plot-augment", "tr_p_augment", ("augment_p",)),
)
QUALITY_PLOT = 2  # its place in PLOTS
# What the quality plot can show: (choice, key of the title, metrics drawn). All but the first need the metric network.
QUALITY = (
    ("swd", "tr_p_swd", ("swd",)),
    ("fid", "tr_p_fid", ("fid",)),
    ("kid", "tr_p_kid", ("kid",)),
    ("pr", "tr_p_pr", ("precision", "recall")),
)
COLOURS = ("#239a81", "#d9822b")
# Numbers of an axis with blanks (U+2800) around them: a plot leaves out those that touch, and trims spaces.
APART = "\u2800^5~r"


def measured(rows: Sequence[dict[str, float]]) -> list[str]:
    """The choices of :data:`QUALITY` that a run has numbers for; the first, which every run gets, from the start."""
    return [choice for choice, _, keys in QUALITY if choice == "swd" or any(keys[0] in row for row in rows)]


def shown(choice: str | None) -> list[tuple[str, str, tuple[str, ...]]]:
    """:data:`PLOTS` with the quality plot's ``choice`` (the first where there is none of that name)."""
    _, title, keys = next((plot for plot in QUALITY if plot[0] == choice), QUALITY[0])
    plots = list(PLOTS)
    plots[QUALITY_PLOT] = (PLOTS[QUALITY_PLOT][0], title, keys)
    return plots


def colour_map(*groups: tuple[str, ...]) -> dict[str, str]:
    """Series name -> colour, in both languages: the names are translated, the colours must not change.

    ``groups``: of keys that are drawn together.
    """
    named = [(key, colour) for keys in groups for key, colour in zip(keys, COLOURS, strict=False)]
    return {name: colour for key, colour in named for name in TEXTS[f"tr_s_{key}"]}


QUALITY_COLOURS = colour_map(*(keys for _, _, keys in QUALITY))


def heading(title: str, keys: tuple[str, ...], request: gr.Request | None) -> str:
    """The plot's title with the colours of its series; the chart's own legend takes too much room."""
    dots = [
        f'<span class="tr-key"><i style="background:{colour}"></i>{t(f"tr_s_{key}", request)}</span>'
        for key, colour in zip(keys, COLOURS, strict=False)
    ]
    return f'<div class="tr-plot-head"><b>{t(title, request)}</b>{"".join(dots) if len(keys) > 1 else ""}</div>'


def payload(curves: dict[str, Points], keys: tuple[str, ...], request: gr.Request | None) -> dict[str, Any] | None:
    """The value of a ``gr.LinePlot`` as a plain dict, which needs no data frame.

    None without points: a chart that begins empty never learns the colours of later series. A line needs two
    points, so a first one is drawn as itself.
    """
    data = [
        [round(x, 4), float(f"{y:.5g}"), t(f"tr_s_{key}", request)]
        for key in keys
        for x, y in zip(*curves.get(key, ([], [])), strict=True)
    ]
    if not data:
        return None
    types = {"kimg": "quantitative", "value": "quantitative", "series": "nominal"}
    mark = "line" if any(len(curves.get(key, ([], []))[0]) > 1 for key in keys) else "point"
    return {"columns": ["kimg", "value", "series"], "data": data, "datatypes": types, "mark": mark}


def payloads(
    run: Run, request: gr.Request | None, choice: str | None = None, max_points: int = 500
) -> list[dict[str, Any] | None]:
    """All plots of :func:`shown`, at most ``max_points`` points together."""
    plots = shown(choice)
    curves = curve(run, [key for _, _, keys in plots for key in keys], max_points)
    values = [payload(curves, keys, request) for _, _, keys in plots]
    if quality := values[QUALITY_PLOT]:
        # A row without a value for each series the visitor may choose later: else those would have no colour.
        quality["data"] += [[0.0, None, t(f"tr_s_{key}", request)] for _, _, keys in QUALITY for key in keys]
    return values


def figure(run: Run) -> Figure:
    """Every point of every curve. Uses no global state, so threads may draw at the same time.

    The words are English: the fonts at hand may have no Chinese.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = run.metrics()
    choices = measured(rows)
    plots = [*PLOTS, *(plot for plot in QUALITY[1:] if plot[0] in choices)]
    height = math.ceil(len(plots) / 2)
    fig = Figure(figsize=(11, 3.5 * height), dpi=150, layout="constrained")
    FigureCanvasAgg(fig)
    fig.suptitle(run.name)
    for place, (_, title, keys) in enumerate(plots):
        axes = fig.add_subplot(height, 2, place + 1)
        axes.set_title(TEXTS[title][0], fontsize=10)
        axes.set_xlabel(TEXTS["tr_x"][0], fontsize=8)
        axes.grid(alpha=0.25)
        for key, colour in zip(keys, COLOURS, strict=False):
            x, y = series(rows, key)
            axes.plot(x, y, color=colour, linewidth=1, label=TEXTS[f"tr_s_{key}"][0])
        if len(keys) > 1:
            axes.legend(fontsize=8)
    return fig


def figure_bytes(run: Run, kind: str) -> bytes:
    """``kind`` is png or pdf."""
    buffer = io.BytesIO()
    figure(run).savefig(buffer, format=kind)
    return buffer.getvalue()
