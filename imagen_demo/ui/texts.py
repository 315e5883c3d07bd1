"""Every text of the page, in English and Chinese.

Labels of components use ``i18n("key")`` and follow the browser's language, or
the one chosen in the header; texts
made in handlers go through :func:`t`. Sentences of the core arrive as English
templates and are looked up in ``sentences_zh.py``.
"""

from __future__ import annotations

import re
from typing import Any

import gradio as gr

from imagen_demo.errors import UserError
from imagen_demo.progress import pictures_seen
from imagen_demo.ui import texts_discover, texts_explore, texts_export, texts_interpolate, texts_train
from imagen_demo.ui.sentences_zh import PROGRESS, SENTENCES

_SHELL = {
    "tagline": ("Train an image generator on your own pictures, then walk through what it learned.",
                "用自己的图片训练图像生成器，再漫游它学到的世界。"),
    "tab_explore": ("Explore", "探索"),
    "tab_interpolate": ("Interpolate", "插值"),
    "tab_generate": ("Generate", "生成"),
    "tab_train": ("Train", "训练"),
    "tab_models": ("Models", "模型"),
    "unexpected": ("Something went wrong; the details are in the server's log. Your work is safe.",
                   "出了点问题，详情见服务器日志。您的数据没有丢失。"),
    "theme": ("Light or dark", "浅色 / 深色"),
    "other_language": ("中文", "English"),
    "seconds_left": ("{seconds} s left", "剩余 {seconds} 秒"),
    "in_training": ("in training", "训练中"),
}  # fmt: skip

_COMMON = {  # c_: used by several picture tabs
    "c_model": ("Model", "模型"),
    "c_class": ("Class", "类别"),
    "c_seed": ("Seed", "种子"),
    "c_seed_wrong": ("A seed is a whole number from 0 to 4294967295.", "种子须为 0 到 4294967295 的整数。"),
    "c_limits": ("“{name}” goes from {low} to {high}.", "“{name}”须在 {low} 到 {high} 之间。"),
    "c_limits_whole": ("“{name}” is a whole number from {low} to {high}.", "“{name}”须为 {low} 到 {high} 的整数。"),
    "c_undo": ("Undo", "撤销"),
    "c_redo": ("Redo", "重做"),
    "c_random": ("Random", "随机"),
    "c_psi": ("Truncation ψ", "截断 ψ"),
    "c_psi_help": ("Low: typical, clean pictures. High: varied, riskier ones. Double-click resets.",
                   "低：典型而干净；高：多样但可能失真。双击复位。"),
    "c_download": ("Download PNG", "下载 PNG"),
    "c_to_explore": ("Explore", "去探索"),
    "c_to_interpolate": ("Interpolate", "去插值"),
    "c_to_generate": ("Generate", "去生成"),
    "c_to_discover": ("Discover", "去发现"),
    "c_to_train": ("Train a model", "训练模型"),
    "c_no_model": ("No model yet", "还没有模型"),
    "c_no_model_help": ("Train one on your own pictures, or on the sample set, and it appears here while it learns.",
                        "用自己的图片或示例图集训练一个，训练时即可在此探索。"),
    "c_picture": ("The generated picture", "生成的图片"),
    "c_pictures": ("{done} of {total} pictures", "{done} / {total} 张图片"),
    "c_all_classes": ("All in turn", "轮流全部"),
    "c_from_explore": ("From Explore", "取自探索页"),
    "c_close": ("Close", "关闭"),
    "c_copy": ("Copy link", "复制链接"),
    "c_copied": ("Link copied: it opens on exactly this picture.", "链接已复制，打开即是这张图片。"),
    "c_copied_run": ("Link copied: it opens on what this training has learned by then, so the picture changes.",
                     "链接已复制；训练仍在继续，打开时的图片会随之改变。"),
    "c_newer_version": ("The network has learned on since this picture was drawn; this is of what it draws now.",
                        "画出这张图之后网络又继续学习了；这里是它现在画的图。"),
    "c_other_version": ("This comes from another version of the model; the picture may look different.",
                        "它来自该模型的另一版本，图片可能有所不同。"),
    "c_cancel": ("Cancel", "取消"),
    "c_cancelled": ("Cancelled.", "已取消。"),
}  # fmt: skip

_GENERATE = {
    "g_grid": ("Generated pictures", "生成的图片"),
    "g_seeds": ("Seeds", "种子"),
    "g_class_mix": ("The mix sent here", "传来的混合"),
    "g_seeds_help": ("Seeds: a first one such as 42, or a list such as 0-15 or 1,5,9, which sets the number too",
                     "种子：起始种子如 42，或列表如 0-15、1,5,9（数量由列表决定）"),
    "g_count": ("Pictures", "数量"),
    "g_more": ("More", "换一批"),
    "g_zip": ("All as zip", "打包下载"),
    "g_zip_file": ("Pictures with their recipes", "图片（含配方）"),
    "g_near": ("Nearest training pictures", "最接近的训练图片"),
    "g_near_wait": ("Looking through the training pictures …", "正在训练图片中查找…"),
    "g_near_picture": ("Training picture {number}", "训练图片 {number}"),
    "g_near_distance": ("distance {distance}", "距离 {distance}"),
    "g_near_new": ("No copy: the nearest training picture is {share} times as far away as a training picture's own "
                   "nearest usually is. Whether it is the same subject all the same, the eye tells best.",
                   "不是复制：它到最近训练图片的距离，是训练图片与其最近一张之间通常距离的 {share} 倍。"
                   "是否仍是同一题材，请用眼判断。"),
    "g_near_close": ("Close to a training picture: only {share} of the distance that a training picture usually has "
                     "from its own nearest.",
                     "与某张训练图片相近：距离只有训练图片与其最近一张之间通常距离的 {share} 倍。"),
    "g_near_copy": ("Almost a copy of a training picture: only {share} of the distance that a training picture "
                    "usually has from its own nearest. More pictures or a shorter training help.",
                    "几乎是某张训练图片的复制：距离只有训练图片与其最近一张之间通常距离的 {share} 倍。"
                    "增加图片或缩短训练时间会有帮助。"),
    "g_near_unknown": ("The training pictures are all the same; there is nothing to compare with.",
                       "训练图片全都相同，无从比较。"),
}  # fmt: skip

TEXTS: dict[str, tuple[str, str]] = {
    **_SHELL,
    **_COMMON,
    **texts_explore.TEXTS,
    **texts_discover.TEXTS,
    **texts_interpolate.TEXTS,
    **_GENERATE,
    **texts_export.TEXTS,
    **texts_train.TEXTS,
}

_CHINESE = {key: zh for key, (_, zh) in TEXTS.items()}
i18n = gr.I18n(
    en={key: en for key, (en, _) in TEXTS.items()},
    **{"zh": _CHINESE, "zh-CN": _CHINESE, "zh-TW": _CHINESE},
)


BUNDLED_ZH = {  # what the bundled models say of themselves; in English they do so themselves
    "emoji": {
        "title": "表情人物",
        "description": "带透明通道的面孔与半身像，学自 708 张人物表情。由 imagen_demo 自身在一块 GPU（NVIDIA H200，"
                       "同时训练着另一个模型）上训练 3.6 分钟而成，128 像素、宽度 1024，其余为自动设置。"
                       "图片为 Google 的 Noto Emoji，按 Apache License 2.0 使用；本模型为其衍生作品，采用相同许可。",
        "licence": "Apache-2.0（Noto Emoji，版权归 Google 所有）",
        "dataset": "Noto Emoji 人物",
    },
    "planets": {
        "title": "行星",
        "description": "看过示例图集的网络所绘的世界：气态巨行星、海洋、岩石与冰。由 imagen_demo 自身用一个处理器线程，"
                       "以“使用示例图集”绘制的 2,000 颗行星训练 45 分钟而成，使用自动设置。",
        "licence": "MIT，与绘制示例图集的程序相同",
        "dataset": "行星（示例图集）",
    },
}  # fmt: skip


def language(source: gr.Request | str | None) -> str:
    """``"zh"`` or ``"en"``: what the visitor has chosen on the page, else their first language by the browser."""
    if not isinstance(source, str):
        headers, cookies = getattr(source, "headers", None) or {}, getattr(source, "cookies", None) or {}
        source = cookies.get("imagen-language") or headers.get("accept-language", "")
    return "zh" if source.lower().startswith("zh") else "en"


def t(key: str, source: gr.Request | str | None = None, **values: object) -> str:
    """The text ``key`` in the language of a request (or of ``"en"``/``"zh"``), filled with ``values``."""
    text = TEXTS[key][language(source) == "zh"]
    return text.format(**values) if values else text


def translate(template: str, values: dict[str, Any], source: gr.Request | str | None = None) -> str:
    """A sentence of the core in the visitor's language; English where no translation is known.

    A value that is a sentence itself, a UserError, is translated too; a ``setting`` is called as its label is.
    """
    if label := TEXTS.get(f"label_{values.get('setting')}"):
        values = values | {"setting": "“{}”".format(label[language(source) == "zh"])}
    if language(source) == "zh":
        template = SENTENCES.get(template, template)
    said = {key: translate_error(v, source) if isinstance(v, UserError) else v for key, v in values.items()}
    return template.format(**said)


def pictures(kimg: float, source: gr.Request | str | None = None) -> str:
    """How many pictures, from thousands of them, in the visitor's way of writing."""
    return pictures_seen(kimg, language(source) == "zh")


def setting_label(field: str) -> str | gr.I18nData:
    """The label of a setting; the bare name of one that has no text yet."""
    key = f"label_{field}"
    return i18n(key) if key in TEXTS else field.replace("_", " ").capitalize()


def translate_error(error: UserError, source: gr.Request | str | None = None) -> str:
    """The error's sentence in the visitor's language."""
    return translate(error.template, error.values, source)


def translate_progress(text: str, source: gr.Request | str | None = None) -> str:
    """What long work reports, in the visitor's language; English where no translation is known."""
    for pattern, chinese in PROGRESS.items() if language(source) == "zh" else ():
        if match := re.fullmatch(pattern, text):
            return match.expand(chinese)
    return text
