"""Every text of the page, in English and Chinese.

Labels of components use ``i18n("key")`` and follow the browser's language; texts
made in handlers go through :func:`t`. Sentences of the core arrive as English
templates and are looked up in :data:`ERRORS`.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

from imagen_demo.errors import UserError

try:  # the Train and Models tabs keep their texts beside them
    from imagen_demo.ui import texts_train
except ImportError:
    texts_train = None

_SHELL = {
    "app_title": ("Imagen Demo", "Imagen Demo"),
    "tagline": ("Train an image generator on your own pictures, then walk through what it learned.",
                "用自己的图片训练图像生成器，再漫游它学到的世界。"),
    "tab_explore": ("Explore", "探索"),
    "tab_interpolate": ("Interpolate", "插值"),
    "tab_generate": ("Generate", "生成"),
    "tab_train": ("Train", "训练"),
    "tab_models": ("Models", "模型"),
    "tab_missing": ("This part is not installed yet.", "此部分尚未安装。"),
    "unexpected": ("Something went wrong; the details are in the server's log. Your work is safe.",
                   "出了点问题，详情见服务器日志。您的数据没有丢失。"),
}  # fmt: skip

TEXTS: dict[str, tuple[str, str]] = _SHELL | (getattr(texts_train, "TEXTS", None) or {})

# English template of a UserError (or of a coach's sentence) -> Chinese template.
ERRORS: dict[str, str] = {} | (getattr(texts_train, "ERRORS", None) or {})

_CHINESE = {key: zh for key, (_, zh) in TEXTS.items()}
i18n = gr.I18n(
    en={key: en for key, (en, _) in TEXTS.items()},
    **{"zh": _CHINESE, "zh-CN": _CHINESE, "zh-TW": _CHINESE},
)


def language(source: gr.Request | str | None) -> str:
    """``"zh"`` or ``"en"``: the visitor's first language, as the browser states it."""
    if isinstance(source, str):
        return "zh" if source.lower().startswith("zh") else "en"
    headers = getattr(source, "headers", None) or {}
    return "zh" if headers.get("accept-language", "").lower().startswith("zh") else "en"


def t(key: str, source: gr.Request | str | None = None, **values: object) -> str:
    """The text ``key`` in the language of a request (or of ``"en"``/``"zh"``), filled with ``values``."""
    text = TEXTS[key][language(source) == "zh"]
    return text.format(**values) if values else text


def translate(template: str, values: dict[str, Any], source: gr.Request | str | None = None) -> str:
    """A sentence of the core in the visitor's language; English where no translation is known."""
    if language(source) == "zh":
        template = ERRORS.get(template, template)
    return template.format(**values)


def translate_error(error: UserError, source: gr.Request | str | None = None) -> str:
    return translate(error.template, error.values, source)
