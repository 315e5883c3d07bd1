"""The Train and Models tabs without a browser: endpoints, what the page is sent, sentences in two languages."""

import json
import re
import time

import gradio as gr
import numpy as np
import pytest
from gradio_client import Client
from PIL import Image
from tiny import save_tiny_model

from imagen_demo.config import ARCHITECTURES, OBJECTIVES, ModelConfig, PrepareConfig, TrainConfig, settings
from imagen_demo.errors import UserError
from imagen_demo.models.folder import load_model
from imagen_demo.studio import datasets, jobs, library
from imagen_demo.training import coach
from imagen_demo.training.run import Run, Status, own_status
from imagen_demo.ui import app, models_tab, pieces, plots, texts, train_live, train_setup, widgets
from imagen_demo.workspace import Workspace

# Choices that are names, the same in every language; crop, pad, stretch are named by tr_fit_...
NAMES = {*ARCHITECTURES, *OBJECTIVES, "cpu", "cuda", "crop", "pad", "stretch", "keep", "flatten"}


class Visitor:
    """As much of a request as the texts need."""

    def __init__(self, language="en"):
        self.headers = {"accept-language": language}


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path / "workspace")


@pytest.fixture
def dataset(workspace, tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    random = np.random.default_rng(0)
    for number in range(12):
        Image.fromarray(random.integers(0, 255, (20, 20, 3), np.uint8)).save(folder / f"<b>{number}.png")
    (folder / "<script>.png").write_bytes(b"")
    return datasets.prepare_dataset(workspace, folder, "cats", PrepareConfig(resolution=16))


@pytest.fixture
def run(workspace, dataset):
    run = jobs.create_run(workspace, dataset, TrainConfig(), "first")
    run.write_status(Status(state="finished", kimg=2.0, progress=1.0, seconds=61.0))
    run.samples.mkdir()
    for number in range(3):
        run.append_metrics({"kimg": float(number), "loss_g": 1.0, "loss_d": 2.0, "memory_bytes": 2.0**30})
        Image.new("RGB", (8, 8), (number * 80, 0, 0)).save(run.samples / f"{number:09.3f}.png")
    return run


def is_skip(value):
    return value == gr.skip()


def test_the_page_is_sent_a_run_once_and_then_only_what_changed(workspace, run):
    first = train_live.look(workspace, "first", {}, None, Visitor())
    assert len(first) == 16 + len(plots.PLOTS)
    assert not any(is_skip(value) for value in first)
    seen = first[0]
    assert all(is_skip(value) for value in train_live.look(workspace, "first", seen, "swd", Visitor()))
    run.append_metrics({"kimg": 3.0, "loss_g": 0.5, "loss_d": 2.5})
    again = train_live.look(workspace, "first", seen, "swd", Visitor())
    losses = again[-len(plots.PLOTS)]
    assert [row[0] for row in losses["value"]["data"] if row[2] == "Generator"] == [0.0, 1.0, 2.0, 3.0]
    assert "value" not in first[3].constructor_args  # the visitor may have chosen another one meanwhile
    assert losses["x_title"] == "thousand pictures"  # no object of Gradio's, which a plot may show as raw code
    assert is_skip(again[3]) and is_skip(again[4])  # the run's state is what it was
    json.dumps(again[0])  # kept in the page's state


def test_a_page_is_told_that_the_run_it_watches_was_deleted_elsewhere(workspace, run):
    seen = train_live.look(workspace, "first", {}, None, Visitor())[0]
    jobs.delete_run(run)
    told = train_live.look(workspace, "first", seen, "swd", Visitor())
    assert "first" in told[2] and not is_skip(told[3]) and told[0] == {}
    explore, pause, resume, stop, delete, more = told[5:11]
    assert explore.interactive is False and not any(each.visible for each in (pause, resume, stop, delete, more))
    assert all(is_skip(value) for value in train_live.look(workspace, "first", told[0], "swd", Visitor()))


def test_plots_hold_at_most_500_points_and_none_for_no_data(tmp_path):
    run = Run(tmp_path)
    assert plots.payloads(run, None) == [None] * len(plots.PLOTS)
    rows = [{"kimg": i, **{key: float(i % 7) for _, _, keys in plots.PLOTS for key in keys}} for i in range(4000)]
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert sum(len(value["data"]) for value in plots.payloads(run, None)) <= 500
    assert len(plots.figure(run).axes[0].lines[0].get_xdata()) == 4000  # the download has every point
    assert plots.figure_bytes(run, "png").startswith(b"\x89PNG") and plots.figure_bytes(run, "pdf").startswith(b"%PDF")


def test_every_series_has_its_colour_in_both_languages():
    for _, _, keys in plots.PLOTS:
        colours = plots.colour_map(keys)
        for language in ("en", "zh"):
            names = [texts.t(f"tr_s_{key}", language) for key in keys]
            assert len({colours[name] for name in names}) == len(keys)


def test_the_quality_plot_shows_what_was_measured_and_was_chosen(workspace, run):
    def seen_by(choice, visitor):
        out = train_live.look(workspace, "first", {}, choice, visitor)
        return out[14], out[15], out[16 + plots.QUALITY_PLOT]["value"]

    run.append_metrics({"kimg": 1.0, "swd": 50.0})
    chooser, heading, plot = seen_by("fid", Visitor())
    assert not chooser.visible and chooser.value == "swd" and "SWD" in heading  # FID was not measured
    assert [row[2] for row in plot["data"] if row[1] is not None] == ["SWD"]
    assert plot["mark"] == "point"  # a line of one point would be nothing
    run.append_metrics({"kimg": 2.0, "swd": 40.0, "fid": 90.0, "kid": 0.1, "precision": 0.5, "recall": 0.25})
    chooser, heading, plot = seen_by("pr", Visitor("zh"))
    assert seen_by("swd", Visitor())[2]["mark"] == "line"
    assert chooser.visible and [choice for _, choice in chooser.choices] == ["swd", "fid", "kid", "pr"]
    assert sorted(row[1:] for row in plot["data"] if row[1] is not None) == [[0.25, "召回率"], [0.5, "精确率"]]
    assert len(plots.figure(run).axes) == len(plots.PLOTS) + 3  # the download has them all
    assert "真实度与多样性" in heading and "精确率" in heading
    assert plots.QUALITY_COLOURS["Precision"] != plots.QUALITY_COLOURS["Recall"]


def test_what_comes_from_outside_is_escaped(dataset, run):
    run.append_event("coach", 1.0, "Hello {who}.", who="<img src=x>")
    run.log.write_text("<b>loud</b>")
    run.write_status(Status(state="failed", error="<i>bad</i>"))
    shown = pieces.dataset_report(dataset, None) + pieces.events(run, None) + pieces.log_tail(run, None)
    shown += pieces.run_head(run, run.status(), None, None)
    for harm in ("<script>", "<img src=x>", "<b>loud", "<i>bad"):
        assert harm not in shown
        assert harm.replace("<", "&lt;").replace(">", "&gt;") in shown


def test_the_report_says_what_was_left_out_in_the_visitors_language(dataset):
    english, chinese = pieces.dataset_report(dataset, Visitor("en")), pieces.dataset_report(dataset, Visitor("zh-CN"))
    assert "Used as pictures: 12 of 13 files." in english and "1 left out: the file is empty" in english
    assert "13 个文件中有 12 个用作图片" in chinese and "文件为空" in chinese


def test_each_state_of_a_run_is_shown_with_what_can_be_done(workspace, run):
    def visible(status):
        run.write_status(status)
        pause, resume, stop, delete, more = train_live._buttons(run, status, False, "run/first", False, Visitor())[2:]
        return [button.visible for button in (pause, resume, stop, delete, more)]

    assert visible(Status(state="training")) == [True, False, True, False, False]
    assert visible(Status(state="paused")) == [False, True, True, False, False]
    assert visible(Status(state="failed")) == [False, True, False, True, False]
    assert visible(Status(state="finished")) == [False, False, False, True, False]  # no state to go on from
    run.state.mkdir()
    assert visible(Status(state="stopped")) == [False, False, False, True, True]


def test_explore_opens_the_newest_network_and_after_the_end_the_best_one(workspace, run):
    def opened():
        model, explore = train_live.look(workspace, "first", {}, None, Visitor())[4:6]
        return model, explore.value, explore.interactive

    assert opened() == ("run/first", "Explore the newest network", False)
    save_tiny_model(run.latest)
    save_tiny_model(workspace.checkpoints / "first-2")
    weights = load_model(workspace.checkpoints / "first-2").hash
    (run.path / "published.json").write_text(json.dumps({"model": "first-2", "weights": weights}))
    assert opened() == ("first-2", "Explore the best network", True)
    alive = own_status()
    alive.state = "training"
    run.write_status(alive)  # goes on
    assert opened() == ("run/first", "Explore the newest network", True)
    run.write_status(Status(state="stopped"))
    library.delete(workspace, "first-2")
    assert opened() == ("run/first", "Explore the newest network", True)


def test_a_failed_runs_sentence_is_told_in_chinese(run):
    status = Status()
    status.fail(UserError("There is no prepared dataset {name}.", name="cats"))
    run.write_status(status)
    assert texts.translate("There is no prepared dataset {name}.", {"name": "cats"}, "zh") in pieces.run_head(
        run, run.status(), None, Visitor("zh-CN")
    )


def test_old_grids_can_be_fetched_and_nothing_else(workspace, run):
    image = train_live._frame(workspace, {"run": "first", "kimg": 1.0}, "en")["image"]
    assert image.startswith("data:image/")
    for payload in ({"run": "first", "kimg": 7.0}, {"run": "../first", "kimg": 1.0}, {}):
        with pytest.raises(UserError):
            train_live._frame(workspace, payload, "en")


def test_the_form_is_the_dataclass(workspace, dataset):
    values = tuple(field.default for field in train_setup.ADVANCED)
    assert train_setup.train_config(TrainConfig().minutes, values) == TrainConfig()
    assert {field.name for field in train_setup.ADVANCED} | {"minutes"} == {f.name for f in settings(TrainConfig)}
    sentences = train_setup._explained(workspace, Visitor(), "cats", "", 5, *values)
    assert "Training takes 5 min;" in sentences
    bad = tuple(
        -7 if field.name == "batch" else value for field, value in zip(train_setup.ADVANCED, values, strict=True)
    )
    assert "“Batch, pictures a step” cannot be -7" in train_setup._explained(workspace, Visitor(), "cats", "", 5, *bad)
    assert "“批大小（每步图片数）” 不能是 -7" in train_setup._explained(workspace, Visitor("zh"), "cats", "", 5, *bad)


@pytest.mark.parametrize("field", [*settings(TrainConfig), *settings(PrepareConfig), *settings(ModelConfig)],
                         ids=lambda field: field.name)  # fmt: skip
def test_every_setting_has_a_label_and_help_in_both_languages(field):
    for key in (f"label_{field.name}", f"set_{field.name}"):
        english, chinese = texts.TEXTS[key]
        assert english and "_" not in english
        assert re.search("[一-鿿]", chinese)
    for value in field.metadata["choices"]:
        assert isinstance(value, int) or f"choice_{value}" in texts.TEXTS or value in NAMES


def test_models_are_shown_and_damaged_ones_with_their_sentence(workspace):
    (workspace.checkpoints / "broken").mkdir()
    (workspace.checkpoints / "broken" / "model.json").write_text("{")
    cards, _, chosen, *_, facts = models_tab._shown(workspace, "broken", Visitor())[:5]
    card = next(card for card in cards["cards"] if card["name"] == "broken")
    assert "damaged" in card["facts"] and chosen == "broken"
    assert "model.json) is damaged" in facts


def test_a_bundled_model_tells_of_itself_in_the_visitors_language(workspace):
    english, chinese = (models_tab._shown(workspace, "emoji", Visitor(language))[4] for language in ("en", "zh"))
    assert "Made with imagen_demo itself" in english and "Noto Emoji, Copyright Google" in english
    assert "学自 708 张人物表情" in chinese and "版权归 Google 所有" in chinese and "Noto Emoji 人物 (" in chinese
    assert "Faces and busts" not in chinese


def test_a_strangers_card_shows_no_pictures_from_elsewhere(workspace):
    save_tiny_model(workspace.checkpoints / "theirs")
    (workspace.checkpoints / "theirs" / "README.md").write_text("!![x](http://e/p.png) ![y](z.png) <img src=q> Good!")
    entry = next(entry for entry in library.list_models(workspace) if entry.name == "theirs")
    assert models_tab._readme(entry) == "[x](http://e/p.png) [y](z.png) &lt;img src=q> Good!"


def test_a_renamed_model_goes_by_its_new_name_and_a_runs_network_says_that_it_is_one(workspace, run):
    save_tiny_model(workspace.checkpoints / "old")
    save_tiny_model(run.latest)
    library.rename(workspace, "old", "new")
    titles = {model["name"]: model["title"] for model in widgets.models(workspace, "en")}
    assert titles["new"] == "new" and titles["run/first"] == "first · newest network"


def test_a_model_called_like_a_bundled_one_is_told_from_it(workspace, run):
    save_tiny_model(workspace.checkpoints / "Planets")
    save_tiny_model(run.latest)
    cards = {card["name"]: card["title"] for card in models_tab._shown(workspace, None, Visitor())[0]["cards"]}
    menu = {model["name"]: model["title"] for model in widgets.models(workspace, "en")}
    for titles in (cards, menu):
        assert (titles["planets"], titles["Planets"]) == ("Planets (planets)", "Planets")
        assert len(set(titles.values())) == len(titles)


def test_programs_start_watch_and_stop_a_training(workspace, dataset):
    blocks = app.build_app(workspace)
    blocks.launch(prevent_thread_lock=True, quiet=True, server_name="127.0.0.1", server_port=7879)
    try:
        client = Client(blocks.local_url, verbose=False)
        with pytest.raises(Exception, match="no prepared dataset dogs"):
            client.predict("dogs", "tiny", 1.0, api_name="/train_start")
        with pytest.raises(Exception, match="no model named gone"):
            client.predict("cats", "tiny", 1.0, "gone", api_name="/train_start")
        name = client.predict("cats", "tiny", 1.0, "planets", api_name="/train_start")
        end = time.monotonic() + 60
        while (status := client.predict(name, api_name="/train_status"))["state"] == "preparing":
            assert time.monotonic() < end
            time.sleep(0.2)
        assert status["state"] == "training"
        assert any("starts from planets" in event["text"] for event in jobs.find_run(workspace, name).events())
        client.predict(name, api_name="/train_stop")
        assert jobs.wait(jobs.find_run(workspace, name), 60).state == "stopped"
        assert client.predict(api_name="/train_runs") == [name]
    finally:
        for left in jobs.list_runs(workspace):
            if left.status().alive:
                jobs.stop(left)
        blocks.close()


def test_the_coach_says_one_calm_sentence_in_the_visitors_language(run):
    curves = coach.Curves([{"kimg": 12.0, "seconds": 60.0, "loss_g": 1.0, "loss_d": 0.5, "grad_norm_g": 1.0,
                            "grad_norm_d": 1.0, "augment_p": 0.42, "swd": 9.0}], progress=0.5)  # fmt: skip
    rule = coach.judge(curves)
    status = Status(state="training", advice=coach.advice(rule, curves))
    line = pieces.coach_line(status, Visitor())
    assert "augmentation was raised to 42%" in line and 'class="tr-coach watch"' in line
    assert "42%" in pieces.coach_line(status, Visitor("zh")) and "数据增强" in pieces.coach_line(status, Visitor("zh"))
    assert line in pieces.run_head(run, status, None, Visitor())
    ended = Status(state="finished", advice=status.advice)
    assert pieces.coach_line(ended, Visitor()) == "" == pieces.coach_line(Status(state="training"), Visitor())
    over = next(rule for rule in coach.RULES if rule.name == "over")
    ended.advice = coach.advice(over, curves)
    assert "training ends here" in pieces.coach_line(ended, Visitor())
    hostile = {"level": "<script>", "template": "<b>{kimg}</b>", "values": {"kimg": "<i>"}}
    assert "<i>" not in pieces.coach_line(Status(state="training", advice=hostile), Visitor())
    broken = {"level": "watch", "template": "{gone}", "values": {}}
    assert pieces.coach_line(Status(state="training", advice=broken), Visitor()) == ""


@pytest.mark.parametrize(("minutes", "said"), [(0, "“Minutes” cannot be 0"), (-5, "cannot be -5"), (None, "is empty")])
def test_minutes_that_make_no_sense_get_a_sentence_of_their_own(workspace, dataset, run, minutes, said):
    values = tuple(field.default for field in train_setup.ADVANCED)
    plan = train_setup._explained(workspace, Visitor(), "cats", "", minutes, *values)
    assert said in plan
    assert "“分钟”" in train_setup._explained(workspace, Visitor("zh"), "cats", "", minutes, *values)
    assert "“追加分钟”" in train_live._continue(workspace, "first", minutes, Visitor("zh"))


def test_a_length_in_pictures_needs_no_minutes():
    values = tuple(16.0 if field.name == "kimg" else field.default for field in train_setup.ADVANCED)
    assert train_setup.train_config(None, values).kimg == 16.0


def test_pictures_seen_are_written_as_people_write_them(run):
    run.write_status(Status(state="finished", kimg=0.2))
    assert "<b>200</b>" in pieces.run_head(run, run.status(), None, Visitor())
    run.write_status(Status(state="finished", kimg=38.2))
    assert "38.2 k" in pieces.run_head(run, run.status(), None, Visitor())
    assert "3.8 万" in pieces.run_head(run, run.status(), None, Visitor("zh"))


def test_a_models_numbers_are_explained(workspace):
    folder = workspace.checkpoints / "mine"
    save_tiny_model(folder)
    library.add_metrics(workspace, "mine", {"memorisation": 0.8529, "swd": 40.0})
    assert "near 0: copies; about 1 or more: none): 0.8529" in (folder / "README.md").read_text()
    rows = dict(models_tab._rows(library.list_models(workspace)[-1], Visitor()))
    assert rows["mo_memorisation"] == "0.8529" and rows["mo_swd"] == "40"
