"""Everything a person may read exists in English and Chinese, with the same values in it."""

import ast
import re
from pathlib import Path

import pytest

from imagen_demo.config import PrepareConfig, TrainConfig, settings
from imagen_demo.data import reasons
from imagen_demo.errors import UserError
from imagen_demo.studio.library import BUNDLED_NAMES
from imagen_demo.training import coach, forecast, trainer
from imagen_demo.ui.sentences_zh import SENTENCES
from imagen_demo.ui.texts import BUNDLED_ZH, TEXTS, translate_error, translate_progress

CORE = Path(__file__).parent.parent / "imagen_demo"


def fields(template: str) -> set[str]:
    return set(re.findall(r"\{(\w+)", template))


def core_sentences() -> dict[str, str]:
    """Template -> file, for every ``UserError("literal", ...)`` below ``imagen_demo``."""
    found = {}
    for file in CORE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "UserError" and node.args:
                argument = node.args[0]
                if isinstance(argument, ast.Constant):
                    found[argument.value] = file.name
    return found


@pytest.mark.parametrize("key", TEXTS)
def test_page_texts_have_both_languages_with_the_same_values(key):
    english, chinese = TEXTS[key]
    assert english and chinese and fields(english) == fields(chinese)


@pytest.mark.parametrize("field", [*settings(TrainConfig), *settings(PrepareConfig)], ids=lambda field: field.name)
def test_the_chinese_help_of_a_setting_says_more_than_its_label(field):  # the English one also stands alone, in --help
    label, said = (re.sub("（.*?）", "", TEXTS[f"{kind}_{field.name}"][1]) for kind in ("label", "set"))
    assert not said.endswith(label)


def test_every_sentence_of_the_core_is_translated():
    missing = {text: file for text, file in core_sentences().items() if text not in SENTENCES}
    assert missing == {}


def test_every_sentence_of_the_coach_and_of_the_settings_chosen_is_translated():
    said = {sentence for rule in coach.RULES for sentence in (rule.sentence, rule.end) if sentence}
    said |= {
        coach.LAST_WORD,
        trainer.MEMORY_ENDED,
        trainer.STARTED_FROM,
        *(template for _, template in forecast.STAGES),
        forecast.MEASURED,
        forecast.MEASURED_FIRST,
    }
    assert said - SENTENCES.keys() == set()


def test_translated_sentences_carry_the_same_values():
    assert {english for english, chinese in SENTENCES.items() if fields(english) != fields(chinese)} == set()


def test_every_reason_is_translated():
    every = {*reasons.DROPPED.values(), *reasons.GROUPS.values(), *reasons.NOTES.values()} - {"{problem}"}
    assert every - SENTENCES.keys() == set()


def test_a_sentence_within_a_sentence_is_translated_too():
    inner = UserError("The picture is the same as {twin}.", twin="a.png")
    outer = UserError("{file} could not be imported: {reason}.", file="b.png", reason=inner)
    assert "The picture is the same as a.png." in str(outer)
    assert "图片与 a.png 相同。" in translate_error(outer, "zh") and str(outer) == translate_error(outer, "en")


def test_progress_is_translated():
    said = ["3 of 12 pictures read, 2 accepted", "7 of 20 planets drawn", "Unpacking cats.zip", "Done"]
    assert [translate_progress(text, "en") for text in said] == said
    chinese = [translate_progress(text, "zh") for text in said]
    assert chinese[:3] == ["已读取 3 / 12 张，采用 2 张", "已绘制 7 / 20 张", "正在解压 cats.zip"]
    assert translate_progress("something new", "zh") == "something new"


def test_no_number_of_minutes_can_be_one_minutes():
    assert not [text for text in [*SENTENCES, *(english for english, _ in TEXTS.values())] if "} minutes" in text]


def test_bundled_models_tell_of_themselves_in_chinese():
    assert set(BUNDLED_ZH) == set(BUNDLED_NAMES)
    assert all(set(said) == {"title", "description", "licence", "dataset"} for said in BUNDLED_ZH.values())
