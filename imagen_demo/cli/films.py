"""The command that makes films: interpolate."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from imagen_demo.cli.commands import Result, command, given, refuse, written
from imagen_demo.cli.pictures import Class, Psi, Seeds
from imagen_demo.cli.sources import Film, existing, file_of, film, recipes
from imagen_demo.config import DEFAULT_PSI
from imagen_demo.errors import UserError

CHANGEABLE = {"out", "size", "fps", "background", "sound", "react", "json"}  # of a film that is made again
# Kinds of film that have a use for an option.
ONLY = {"radius": ("loop", "walk"), "way_seed": ("loop", "walk"), "speed": ("walk",),
        "easing": ("w", "z", "spline"), "even": ("w", "z", "spline", "loop"), "loop": ("w", "z", "spline")}  # fmt: skip


@command()
def interpolate(
    context: typer.Context,
    model: Film,
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="The film: .mp4, .webm, .gif, .webp, .png (animated) or .zip (frames)")
    ],
    seeds: Seeds = "",
    seconds: Annotated[float, typer.Option(help="Length of the film")] = 4.0,
    fps: Annotated[int, typer.Option(help="Frames a second")] = 30,
    kind: Annotated[
        str,
        typer.Option("--kind", "--space", metavar="w|z|spline|loop|walk",
                     help="w: straight; z: along the sphere; spline: a curve through all; "
                          "loop, walk: round and round, or anywhere, from the first seed"),
    ] = "w",
    easing: Annotated[
        str, typer.Option(metavar="linear|smooth|cubic", help="How it leaves and reaches each picture")
    ] = "smooth",
    loop: Annotated[bool, typer.Option("--loop", help="Come back to the first picture")] = False,
    even: Annotated[bool, typer.Option("--even", help="One speed all along: equal visual steps")] = False,
    radius: Annotated[float, typer.Option(help="How far a loop or walk goes, up to 1")] = 0.5,
    speed: Annotated[float, typer.Option(help="Of a walk: other pictures' worth of change a second")] = 0.5,
    way_seed: Annotated[int, typer.Option(help="Which loop or walk")] = 0,
    sound: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Drives the film, and is in it; none: made again without")
    ] = None,
    react: Annotated[float, typer.Option(help="How much the sound drives the film, 0 to 1")] = 0.7,
    background: Annotated[str, typer.Option(help="A colour, checkerboard, transparent")] = "transparent",
    psi: Psi = DEFAULT_PSI,
    label: Class = None,
    size: Annotated[int | None, typer.Option(help="Side in pixels; default: the model's own, at least 256")] = None,
) -> Result:  # fmt: skip
    """Make a film that goes from picture to picture: of --seeds, or again that of a link or file, as it is there.

    Made again, it can have another --size, --fps, --background, --sound, --react and ending of --out.
    """
    from imagen_demo.cli.terminal import progress_bar
    from imagen_demo.media.formats import format_of
    from imagen_demo.studio import interpolations
    from imagen_demo.studio.recipes import Studio
    from imagen_demo.studio.timeline import MAX_LINK, Timeline, shared_out

    format, studio, again = format_of(out), Studio(context.obj), film(context.obj, model)
    heard = _heard(context, model, again, sound)
    if heard is None:
        refuse(context, ["react"], UserError("it needs --sound."))
    if again:
        timeline = _again(context, again, format, heard)
    else:
        keyframes = recipes(context, studio, model, seeds, psi, label, None)
        timeline = Timeline(
            tuple(keyframes), kind, shared_out(seconds, len(keyframes), loop), easing, loop, even, radius, way_seed,
            speed, fps, size, format, background, heard.hash if heard else "", react,
        )  # fmt: skip
        _refuse_unheeded(context, timeline)
    with progress_bar() as progress:
        made = interpolations.write(studio, timeline, out, progress, heard)
    link = interpolations.pinned(studio, timeline).to_link()
    facts = {"file": str(out), "frames": made.count, "seconds": made.count / timeline.fps,
             "link": f"t={link}" if len(link) <= MAX_LINK else None}  # fmt: skip
    return Result(facts, f"{made.count} frames in {out}")


def _heard(context: typer.Context, source: str, again: Any, sound: Path | None) -> Any:
    """The sound of the film: the one that is given, else the one inside the file that is made ``again``, or None.

    Raises:
        UserError: the film moves to a sound, and it is nowhere.
    """
    from imagen_demo.media.audio import read_sound

    if sound is not None:
        return None if str(sound) == "none" else read_sound(existing(sound))
    if not again or not again.sound:
        return None
    file = file_of(context.obj, source)
    with suppress(UserError):
        if file is not None:
            return read_sound(file)
    raise UserError("This film moves to a sound that is not here; give it with --sound FILE, or write --sound none.")


def _again(context: typer.Context, film: Any, format: str, heard: Any) -> Any:
    """The timeline ``film`` with the options that were written."""
    refuse(context, written(context).keys() - CHANGEABLE, UserError(
        "this film has its own pictures and timing. Its size, fps, background and sound can be changed, and its "
        "format by the ending of --out."))  # fmt: skip
    changes = {name: context.params[name] for name in ("size", "fps", "background", "react") if given(context, name)}
    return replace(film, format=format, sound=heard.hash if heard else "", **changes)


def _refuse_unheeded(context: typer.Context, timeline: Any) -> None:
    """Refuse options that have no part in a film of this kind."""
    for option, kinds in ONLY.items():
        if timeline.kind not in kinds:
            refuse(context, [option], UserError("it is for --kind {kinds}.", kinds=" or ".join(kinds)))
    if timeline.even:
        refuse(context, ["easing"], UserError("with --even the film has one speed all along."))
