"""Explore's calls about directions, without a server: names, hiding, finding, examples, files, filmstrips."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tiny import save_tiny_model

from imagen_demo.errors import UserError
from imagen_demo.latent.directions import Varied
from imagen_demo.progress import Progress
from imagen_demo.studio import directions as making
from imagen_demo.studio.recipes import Studio
from imagen_demo.training.run import Run, Status, own_status
from imagen_demo.ui import explore_directions, widgets
from imagen_demo.workspace import Workspace


@pytest.fixture
def calls(workspace: Workspace, make_model: Callable[..., Path]) -> dict[str, Callable[..., dict]]:
    """The page's calls over a workspace with the model ``tiny``."""
    make_model("tiny")
    work = explore_directions.calls(Studio(workspace))
    return {name: lambda payload, call=call: call({"model": "tiny"} | payload, "en") for name, call in work.items()}


def recipe(seed: int, **more: object) -> dict:
    return {"model": "tiny", "seeds": [[seed, 1]]} | more


def names(answer: dict) -> dict[str, str]:
    return {direction["id"]: direction["name"] for direction in answer["model"]["directions"]}


def hidden(answer: dict) -> set[str]:
    return {direction["id"] for direction in answer["model"]["directions"] if direction["hidden"]}


def test_filmstrip_has_the_picture_in_its_middle(calls, workspace):
    film = calls["film"]({"recipe": recipe(4, directions=[["pc1", 1, ""]]), "id": "pc0", "layers": "fine"})
    assert film["amounts"] == [-3, -2, -1, 0, 1, 2, 3]
    plain = Studio(workspace).render(widgets.recipe_from(recipe(4, directions=[["pc1", 1, ""]])))
    assert film["images"][3] == widgets.data_url(plain, explore_directions.FILM_SIDE)
    assert len(set(film["images"])) == 7


def test_filmstrip_of_a_direction_in_use_goes_past_its_amount(calls):
    used = calls["film"]({"recipe": recipe(4, directions=[["pc0", 2, ""]]), "id": "pc0", "layers": ""})
    assert used == calls["film"]({"recipe": recipe(4), "id": "pc0", "layers": ""})


def test_names_and_hiding_are_answered_with_the_new_facts(calls):
    assert names(calls["rename"]({"id": "pc0", "name": " By day "}))["pc0"] == "By day"
    assert hidden(calls["hide"]({"id": "pc1", "hidden": True})) == {"pc1"}
    assert hidden(calls["hide"]({"id": "pc1", "hidden": False})) == set()


def test_a_direction_from_examples_is_made_exported_removed_and_imported(calls):
    made = calls["from_examples"](
        {"name": "Odd", "with": [recipe(1), recipe(3)], "without": [recipe(2), recipe(4)], "against": ["pc0"],
         "layers": "", "within_class": False}
    )  # fmt: skip
    assert names(made)[made["id"]] == "Odd"
    file = calls["export_directions"]({"ids": [made["id"]]})
    assert file["name"].startswith("tiny-odd") and file["url"].startswith("data:")
    assert made["id"] not in names(calls["remove"]({"id": made["id"]}))
    back = calls["import_directions"]({"name": "../odd.safetensors", "data": file["url"]})
    assert back["names"] == ["Odd"] and names(back)[made["id"]] == "Odd"
    again = calls["import_directions"]({"name": "odd.safetensors", "data": file["url"]})
    assert (again["names"], again["known"]) == ([], ["Odd"]) and names(again) == names(back)


def test_a_direction_towards_a_class(workspace, make_model):
    make_model("kinds", num_classes=3)
    call = explore_directions.calls(Studio(workspace))["from_class"]
    made = call({"model": "kinds", "label": 1, "name": "Second", "against": [], "layers": "coarse"}, "en")
    assert names(made)[made["id"]] == "Second"


def finished(calls: dict, state: dict) -> dict:
    while state.get("state") == "working":
        time.sleep(0.02)
        state = calls["finding"]({})
    return state


def test_finding_is_watched_cancelled_and_completed(calls, monkeypatch):
    def endless(studio: Studio, name: str, progress: Progress) -> None:
        while True:
            progress(0.25, "3 of 12 pictures measured")
            time.sleep(0.01)

    monkeypatch.setattr(making, "discover", endless)
    assert calls["finding"]({})["state"] == "idle"
    calls["find"]({})
    calls["find"]({})  # a second visitor: the same job
    while not (state := calls["finding"]({}))["fraction"]:
        time.sleep(0.01)
    assert state == {"state": "working", "fraction": 0.25, "text": "3 of 12 pictures measured"}
    calls["stop_finding"]({})
    assert finished(calls, calls["finding"]({})) == {"state": "cancelled"}

    def quick(studio: Studio, name: str, progress: Progress) -> None:
        found = studio.directions(name)
        found.varied = Varied(plain=True, spread={})
        making._keep_found(studio, name, studio.model(name), found)

    monkeypatch.setattr(making, "discover", quick)
    complete = finished(calls, calls["find"]({}))
    assert complete["state"] == "complete" and "pc0" in names(complete)


def test_finding_that_fails_says_why(calls, monkeypatch):
    def fail(studio: Studio, name: str, progress: Progress) -> None:
        raise UserError("There is no space left on the disk.")

    monkeypatch.setattr(making, "discover", fail)
    with pytest.raises(UserError, match="space"):
        finished(calls, calls["find"]({}))


@pytest.mark.parametrize(
    ("call", "payload"),
    [("rename", {"id": "pc0", "name": "x" * 41}), ("rename", {"id": "nothing", "name": "x"}), ("rename", {"id": 3}),
     ("hide", {"id": "nothing"}), ("remove", {"id": "pc0"}), ("film", {"recipe": recipe(1), "id": "no", "layers": ""}),
     ("film", {"recipe": recipe(1), "id": "pc0", "layers": "9-2"}), ("export_directions", {"ids": "pc0"}),
     ("export_directions", {"ids": []}), ("import_directions", {"name": "a", "data": "data:,%%%"}),
     ("import_directions", {"name": "a", "data": None}), ("from_class", {"label": True, "name": "x"}),
     ("from_examples", {"name": "x", "with": [], "without": [recipe(1)], "against": [], "layers": ""}),
     ("from_examples", {"name": "x", "with": "all", "without": [recipe(1)], "against": [], "layers": ""})],
)  # fmt: skip
def test_nonsense_gets_a_sentence(calls, call, payload):
    with pytest.raises(UserError, match=r"\.$"):
        calls[call](payload)


def test_nothing_is_found_or_said_of_a_network_that_changes_all_the_time(workspace):
    run = Run(workspace.runs / "cats")
    save_tiny_model(run.latest)
    run.write_status(own_status())
    calls = explore_directions.calls(Studio(workspace))
    for call in ("find", "from_examples", "from_class", "rename", "hide", "remove", "import_directions"):
        with pytest.raises(UserError, match="cats is in training"):
            calls[call]({"model": "run/cats", "id": "pc0", "name": "x", "label": 0}, "en")
    run.write_status(Status(state="finished"))
    assert names(calls["rename"]({"model": "run/cats", "id": "pc0", "name": "By day"}, "en"))["pc0"] == "By day"
