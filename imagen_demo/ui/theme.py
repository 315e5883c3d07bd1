"""The look: system fonts, quiet greys, one accent; details in ``static/style.css``."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

STATIC = Path(__file__).parent / "static"

ACCENT = gr.themes.Color(
    c50="#effaf7", c100="#d5f2ea", c200="#ace4d6", c300="#79cfbb", c400="#46b49c", c500="#239a81",
    c600="#167b68", c700="#146255", c800="#144f45", c900="#13423a", c950="#062621", name="accent",
)  # fmt: skip
NEUTRAL = gr.themes.Color(
    c50="#fafaf9", c100="#f4f4f2", c200="#e8e7e4", c300="#d5d3cf", c400="#a5a29d", c500="#76736e",
    c600="#56534f", c700="#403e3b", c800="#272624", c900="#1b1a19", c950="#121211", name="stone",
)  # fmt: skip


def theme() -> gr.themes.Base:
    """Gradio's theme in our colours."""
    look = gr.themes.Base(
        primary_hue=ACCENT,
        secondary_hue=ACCENT,
        neutral_hue=NEUTRAL,
        radius_size=gr.themes.sizes.radius_lg,
        font=["system-ui", "-apple-system", "Segoe UI", "Roboto", "PingFang SC", "Microsoft YaHei",
              "Noto Sans CJK SC", "sans-serif"],
        font_mono=["ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace"],
    ).set(
        body_background_fill="*neutral_50",
        body_background_fill_dark="*neutral_950",
        background_fill_primary="white",
        background_fill_primary_dark="*neutral_900",
        background_fill_secondary="*neutral_50",
        background_fill_secondary_dark="*neutral_950",
        border_color_primary="*neutral_200",
        border_color_primary_dark="*neutral_800",
        block_background_fill="white",
        block_background_fill_dark="*neutral_900",
        block_border_width="1px",
        block_shadow="none",
        block_shadow_dark="none",
        block_label_background_fill="transparent",
        block_label_background_fill_dark="transparent",
        block_label_border_width="0px",
        block_label_text_color="*neutral_500",
        block_title_text_color="*neutral_700",
        block_title_text_color_dark="*neutral_300",
        block_title_text_weight="500",
        input_border_width="1px",
        input_border_color="*neutral_200",
        input_border_color_dark="*neutral_800",
        input_border_color_focus="*primary_500",
        button_large_text_weight="500",
        button_medium_text_weight="500",
        button_small_text_weight="500",
        button_border_width="1px",
        button_transition="background .12s, border-color .12s",
        input_background_fill="white",
        input_background_fill_dark="*neutral_950",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_hover="*primary_700",
        button_primary_background_fill_dark="*primary_600",
        button_primary_background_fill_hover_dark="*primary_500",
        button_primary_text_color="white",
        button_secondary_background_fill="white",
        button_secondary_background_fill_hover="*neutral_100",
        button_secondary_background_fill_dark="*neutral_800",
        button_secondary_background_fill_hover_dark="*neutral_700",
        button_secondary_border_color="*neutral_200",
        button_secondary_border_color_dark="*neutral_700",
        slider_color="*primary_600",
        slider_color_dark="*primary_400",
    )  # fmt: skip
    # The sign-in page gets the theme but not the page's own style sheet.
    look.custom_css = ".min-h-screen { background: transparent !important; border: 0 !important; }"
    return look


def css() -> str:
    """The page's own style sheets: ``style.css``, then those of single tabs."""
    files = sorted(STATIC.glob("*.css"), key=lambda file: (file.name != "style.css", file.name))
    return "\n".join(file.read_text("utf-8") for file in files)


HEADER = """<div class="im-head">
<svg class="im-logo" viewBox="0 0 24 24" aria-hidden="true">
<rect x="1.500" y="1.500" width="21" height="21" rx="7" fill="#167b68"/>
<path d="M5 16c3.500 0 3.500-8 7-8s3.500 8 7 8" fill="none" stroke="#fff" stroke-width="2" stroke-linecap="round"/>
<circle cx="12" cy="8" r="2" fill="#fff"/></svg>
<b>Imagen Demo</b><span></span>
<button type="button" id="language-toggle" class="im-button im-bare"></button>
<button type="button" id="theme-toggle" class="im-button im-bare">
<svg class="im-icon" viewBox="0 0 20 20" aria-hidden="true">
<circle cx="10" cy="10" r="6.500"/><path d="M10 3.500v13a6.500 6.500 0 0 0 0-13z" fill="currentColor"/></svg>
</button></div>"""

HEADER_SCRIPT = """const page = window.imagenDemo, T = page.texts(props.texts);
const [language, theme] = element.querySelectorAll('button'), other = page.chinese ? 'en' : 'zh-CN';
element.querySelector('span').textContent = T('tagline');
language.textContent = T('other_language'); language.lang = other;
language.addEventListener('click', () => page.chooseLanguage(other));
theme.title = T('theme'); theme.setAttribute('aria-label', T('theme'));
theme.addEventListener('click', page.toggleTheme);
page.rememberedTheme();"""


def head() -> str:
    """For the page's <head>: the scripts that all tabs share."""
    return "".join(f"<script>{(STATIC / name).read_text('utf-8')}</script>" for name in ("common.js", "shell.js"))
