"""A run's curves: small ones for the page, a complete figure for the download."""

from __future__ import annotations

import io
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
    ("train-plot-quality", "tr_p_quality", ("swd",)),
    ("train-plot-augment", "tr_p_augment", ("augment_p",)),
)
COLOURS = ("#239a81", "#d9822b")
KEYS = tuple(key for _, _, keys in PLOTS for key in keys)


def colour_map(keys: tuple[str, ...]) -> dict[str, str]:
    """Series name -> colour, in both languages: the names are translated, the colours must not change."""
    return {name: COLOURS[place] for place, key in enumerate(keys) for name in TEXTS[f"tr_s_{key}"]}


def heading(title: str, keys: tuple[str, ...], request: gr.Request | None) -> str:
    """The plot's title with the colours of its series; the chart's own legend takes too much room."""
    dots = [
        f'<span class="tr-key"><i style="background:{colour}"></i>{t(f"tr_s_{key}", request)}</span>'
        for key, colour in zip(keys, COLOURS, strict=False)
    ]
    return f'<div class="tr-plot-head"><b>{t(title, request)}</b>{"".join(dots) if len(keys) > 1 else ""}</div>'


def payload(curves: dict[str, Points], keys: tuple[str, ...], request: gr.Request | None) -> dict[str, Any] | None:
    """The value of a ``gr.LinePlot`` as a plain dict, which needs no data frame.

    None without points: a chart that begins empty never learns the colours of later series.
    """
    data = [
        [round(x, 4), float(f"{y:.5g}"), t(f"tr_s_{key}", request)]
        for key in keys
        for x, y in zip(*curves.get(key, ([], [])), strict=True)
    ]
    if not data:
        return None
    types = {"kimg": "quantitative", "value": "quantitative", "series": "nominal"}
    return {"columns": ["kimg", "value", "series"], "data": data, "datatypes": types, "mark": "line"}


def payloads(run: Run, request: gr.Request | None, max_points: int = 500) -> list[dict[str, Any] | None]:
    """All plots of :data:`PLOTS`, at most ``max_points`` points together."""
    curves = curve(run, KEYS, max_points)
    return [payload(curves, keys, request) for _, _, keys in PLOTS]


def figure(run: Run) -> Figure:
    """Every point of every curve. Uses no global state, so threads may draw at the same time.

    The words are English: the fonts at hand may have no Chinese.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = run.metrics()
    fig = Figure(figsize=(11, 7), dpi=150, layout="constrained")
    FigureCanvasAgg(fig)
    fig.suptitle(run.name)
    for axes, (_, title, keys) in zip(fig.subplots(2, 2).flat, PLOTS, strict=True):
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
