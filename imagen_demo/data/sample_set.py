"""The sample set: planets, drawn by formula, so that everyone has pictures to train on at once.

Each planet is a handful of nameable factors (:class:`Planet`): kind, palette, size, light, tilt,
glow, caps, ring. A network that learns the set well finds these again as directions of its w.
Surfaces are soft and the night side never black: a small network on a processor should see round,
coloured worlds within minutes.
"""

from __future__ import annotations

import colorsys
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from imagen_demo import storage
from imagen_demo.progress import Progress, silent

KINDS = ("gas", "ocean", "rock", "ice")
NIGHT = np.array([9, 11, 28], np.float32) / 255  # the sky: blue-black


@dataclass(frozen=True)
class Planet:
    """All that tells one planet from another. Angles in radians, lengths as shares of the picture's side."""

    kind: str
    hue: float  # of the first colour, 0 to 1
    spread: float  # distance of the second colour's hue
    radius: float
    light: tuple[float, float, float]  # unit vector towards the sun; x right, y down, z towards us
    tilt: float  # of the axis in the picture's plane
    glow: float  # strength of the atmosphere, 0 to 1
    caps: float  # extent of the polar caps, 0 = none
    bands: float  # number of bands of a gas giant
    ring: float  # outer radius of the ring as a multiple of the planet's, 0 = none
    ring_tilt: float  # how open the ring is, -1 to 1; its sign tells which half is in front
    texture: int  # seed of the surface and the stars


def random_planet(rng: np.random.Generator) -> Planet:
    """A planet with every factor drawn from ``rng``."""
    kind = KINDS[rng.choice(4, p=(0.36, 0.28, 0.24, 0.12))]
    ring = rng.random() < (0.4 if kind == "gas" else 0.08)
    angle, height = rng.uniform(0, 2 * np.pi), rng.uniform(0.5, 0.9)  # never from behind: most of it is lit
    side = np.sqrt(1 - height**2)
    hue = {"gas": rng.random(), "ocean": rng.uniform(0.42, 0.72), "rock": rng.uniform(-0.06, 0.14)}.get(kind, 0.55)
    return Planet(
        kind=kind,
        hue=(hue + rng.normal(0, 0.015)) % 1,
        spread=rng.choice((-0.09, 0.08, 0.12, 0.45)) + rng.normal(0, 0.015),
        radius=rng.uniform(0.22, 0.25) if ring else rng.uniform(0.27, 0.36),
        light=(float(np.cos(angle) * side), float(np.sin(angle) * side), float(height)),
        tilt=rng.uniform(-0.4, 0.4),
        glow=rng.uniform(0.35, 1.0) if kind != "rock" else rng.uniform(0.0, 0.35),
        caps=rng.uniform(0.12, 0.3) if kind in ("ocean", "rock") and rng.random() < 0.6 else 0.0,
        bands=rng.uniform(2.5, 5),
        ring=rng.uniform(1.75, 2.05) if ring else 0.0,
        ring_tilt=rng.uniform(0.22, 0.36) * rng.choice((-1, 1)),
        texture=int(rng.integers(2**31)),
    )


def caption(planet: Planet) -> str:
    """The planet in words, for training with text."""
    size = "large" if planet.radius > (0.225 if planet.ring else 0.325) else "small"
    kind = {"gas": "banded gas giant", "ocean": "ocean world with continents", "rock": "cratered rocky planet"}
    extras = [("a ring", planet.ring), ("polar caps", planet.caps), ("a bright glow", planet.glow > 0.7)]
    extras = [words for words, there in extras if there]
    return f"a {size} {kind.get(planet.kind, 'icy planet')}" + (" with " + " and ".join(extras) if extras else "")


def draw(planet: Planet, size: int, alpha: bool = False) -> Image.Image:
    """``size`` x ``size``: RGB before a starry sky, or RGBA before nothing; equal planets give equal pictures."""
    rng = np.random.default_rng(planet.texture)
    grid = (np.arange(size, dtype=np.float32) + 0.5) / size - 0.5
    x, y = np.meshgrid(grid, grid)
    disc, cover = _disc(planet, x, y, size, rng)
    layers = [_glow(planet, x, y), (disc, cover)]
    if planet.ring:
        back, front = _ring(planet, x, y, size, rng)
        layers = [layers[0], back, layers[1], front]
    if alpha:
        colour, total = np.zeros((size, size, 3), np.float32), np.zeros((size, size), np.float32)
    else:
        colour, total = _sky(x, y, rng), np.ones((size, size), np.float32)
    for rgb, share in layers:  # premultiplied "over"
        colour = rgb * share[..., None] + colour * (1 - share[..., None])
        total = share + total * (1 - share)
    if not alpha:
        return Image.fromarray(_bytes(colour), "RGB")
    straight = colour / np.maximum(total, 1e-6)[..., None]
    return Image.fromarray(_bytes(np.dstack([straight, total])), "RGBA")


def _bytes(unit: np.ndarray) -> np.ndarray:
    return (unit.clip(0, 1) * 255).round().astype(np.uint8)


def _palette(planet: Planet) -> np.ndarray:
    """[3, 3]: dark, middle and light colour, harmonious: neighbours on the wheel, or complements."""
    first, second = planet.hue, planet.hue + planet.spread
    tones = {
        "gas": ((first, 0.72, 0.5), (first + planet.spread / 2, 0.55, 0.86), (second, 0.25, 1.0)),
        "ocean": ((first, 0.85, 0.5), (0.24 + planet.spread / 2, 0.5, 0.55), (0.11, 0.4, 0.85)),
        "rock": ((first, 0.6, 0.36), (first + 0.02, 0.5, 0.72), (first + 0.06, 0.26, 0.96)),
        "ice": ((first + 0.04, 0.55, 0.68), (first, 0.28, 0.92), (first - 0.03, 0.06, 1.0)),
    }[planet.kind]
    return np.array([colorsys.hsv_to_rgb(h % 1, s, v) for h, s, v in tones], np.float32)


def _mix(palette: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Colours at ``t`` in [0, 1] on the line dark - middle - light; [n] -> [n, 3]."""
    t = t[:, None].clip(0, 1) * 2
    low, high = t.clip(0, 1), (t - 1).clip(0, 1)
    return palette[0] + (palette[1] - palette[0]) * low + (palette[2] - palette[1]) * high


def _disc(
    planet: Planet, x: np.ndarray, y: np.ndarray, size: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Colours [S, S, 3] and coverage [S, S] of the ball, lit."""
    r = planet.radius
    distance = np.sqrt(x**2 + y**2)
    cover = ((r - distance) * size + 0.5).clip(0, 1)
    inside = cover > 0
    scale = 1 / np.maximum(distance[inside], r)  # pixels on the rim take the rim's normal
    nx, ny = x[inside] * scale, y[inside] * scale
    nz = np.sqrt((1 - nx**2 - ny**2).clip(0))
    cos, sin = np.cos(planet.tilt), np.sin(planet.tilt)
    u, v = nx * cos + ny * sin, ny * cos - nx * sin  # v runs along the axis
    nod = 0.35 * np.sign(planet.ring_tilt)  # the axis leans to us or away
    v, w = v * np.cos(nod) - nz * np.sin(nod), v * np.sin(nod) + nz * np.cos(nod)
    surface, bump = _surface(planet, np.stack([u, v, w], axis=1), rng)
    normal_light = nx * planet.light[0] + ny * planet.light[1] + nz * planet.light[2]
    lit = _smooth(normal_light + bump, -0.12, 0.75)
    shade = 0.2 + 0.85 * lit
    rim = (1 - nz) ** 3 * planet.glow * lit  # air seen at a grazing angle
    air = _air(planet)
    colour = surface * shade[:, None] * (1 - 0.6 * rim[:, None]) + air * rim[:, None] * 0.9
    colour += (1 - lit)[:, None] * NIGHT * 0.9  # the night side keeps the sky's blue
    if planet.kind in ("ocean", "ice"):  # the sun on water and ice
        half = np.array(planet.light) + np.array((0, 0, 1))
        half /= np.linalg.norm(half)
        shine = (nx * half[0] + ny * half[1] + nz * half[2]).clip(0) ** 40
        colour += 0.35 * shine[:, None]
    full = np.zeros((*x.shape, 3), np.float32)
    full[inside] = colour
    return full, cover


def _surface(planet: Planet, p: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray | float]:
    """Colours [n, 3] without light, and a term for the light that makes relief, at unit vectors ``p`` [n, 3]."""
    palette = _palette(planet)
    latitude = p[:, 1]
    if planet.kind == "gas":
        wind = _noise(p * (1.6, 3.2, 1.6), rng, 3)
        stripe = latitude * planet.bands + 0.9 * (wind - 0.5)
        phase = rng.uniform(0, 2 * np.pi, 3)
        waves = np.sin(stripe[:, None] * (1.1, 2.4, 4.3) + phase) @ (0.22, 0.24, 0.05)
        level = 0.52 + waves.astype(np.float32) + 0.25 * (wind - 0.5)
        return _mix(palette, level), 0.0
    height = _noise(p * 1.3, rng, 3)
    if planet.kind == "ocean":
        land = _smooth(height, 0.48, 0.56)[:, None]
        sea = palette[0] * (0.75 + 0.9 * height[:, None])
        ground = _mix(np.stack([palette[1], palette[1], palette[2]]), (height - 0.5) * 3.4)
        colour = sea * (1 - land) + ground * land
        cloud = 0.6 * _smooth(_noise(p * (1.2, 2.2, 1.2) + 7, rng, 2), 0.55, 0.8)[:, None]
        colour = colour * (1 - cloud) + cloud
        relief = 0.25 * (height - 0.5) * land[:, 0]
    elif planet.kind == "rock":
        pits, rims = _craters(p, rng)
        colour = _mix(palette, 0.15 + 0.85 * _smooth(height, 0.25, 0.75) - 0.3 * pits + 0.35 * rims)
        relief = 0.35 * (height - 0.5) - 0.22 * pits + 0.16 * rims
    else:
        cracks = 1 - np.abs(2 * _noise(p * 1.4 + 3, rng, 2) - 1)
        colour = _mix(palette, _smooth(height, 0.3, 0.65) - 0.5 * cracks**6)
        relief = 0.2 * (height - 0.5)
    if planet.caps:
        snow = _smooth(np.abs(latitude) + 0.12 * (height - 0.5), 1 - planet.caps, 1 - planet.caps + 0.06)[:, None]
        colour = colour * (1 - snow) + np.array([0.94, 0.97, 1.0], np.float32) * snow
    return colour, relief


def _craters(p: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """How much each point lies in a crater and on a crater's rim, [n] and [n], about 0 to 1."""
    centres = rng.normal(size=(9, 3))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    radii = rng.uniform(0.22, 0.4, 9)
    distance = np.arccos((p @ centres.T.astype(np.float32)).clip(-1, 1)) / radii
    pits = (1 - _smooth(distance, 0.55, 0.95)).max(axis=1)
    rims = np.exp(-(((distance - 1.0) / 0.16) ** 2)).max(axis=1) * (1 - pits)
    return pits, rims


def _air(planet: Planet) -> np.ndarray:
    hue = planet.hue if planet.kind == "gas" else 0.57
    return np.array(colorsys.hsv_to_rgb(hue % 1, 0.45, 1.0), np.float32)


def _glow(planet: Planet, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The atmosphere outside the ball, brighter on the sunny side."""
    distance = np.sqrt(x**2 + y**2)
    outside = (distance - planet.radius).clip(0) / (0.16 * planet.radius)
    facing = (x * planet.light[0] + y * planet.light[1]) / np.maximum(distance, 1e-6)
    share = 0.75 * planet.glow * np.exp(-outside) * (0.35 + 0.65 * _smooth(facing, -0.8, 0.9))
    share *= 1 - _smooth(distance, planet.radius * 1.15, min(0.5, planet.radius * 1.6))
    return np.broadcast_to(_air(planet), (*x.shape, 3)), share.astype(np.float32)


def _ring(planet: Planet, x: np.ndarray, y: np.ndarray, size: int, rng: np.random.Generator) -> tuple:
    """Two layers: the ring's far half and its near half."""
    cos, sin = np.cos(planet.tilt), np.sin(planet.tilt)
    u, v = x * cos + y * sin, y * cos - x * sin
    distance = np.sqrt(u**2 + (v / abs(planet.ring_tilt)) ** 2) / planet.radius
    inner, outer = 1.28, planet.ring
    soft = 1.2 / (size * planet.radius)
    band = _smooth(distance, inner - soft, inner + soft) * (1 - _smooth(distance, outer - soft, outer + soft))
    t = (distance - inner) / (outer - inner)
    gap = 1 - 0.75 * np.exp(-(((t - rng.uniform(0.5, 0.7)) / 0.06) ** 2))
    opacity = band * gap * (0.62 + 0.25 * np.sin(t * 9 + rng.uniform(0, 6)))
    palette = _palette(planet)
    colour = palette[1] * 0.45 + palette[2] * 0.55
    # the planet's shadow: a point of the ring behind the ball, seen from the sun, is dark
    point = np.stack([x, y, -v / planet.ring_tilt * np.sqrt(1 - planet.ring_tilt**2)], axis=-1) / planet.radius
    light = np.array(planet.light, np.float32)
    along = point @ light
    beside = np.sqrt(((point - along[..., None] * light) ** 2).sum(axis=-1))
    shadow = (1 - _smooth(beside, 0.9, 1.1)) * (along < 0)
    rgb = (colour * (1 - 0.85 * shadow[..., None])).astype(np.float32)
    near = _smooth(v * np.sign(planet.ring_tilt), -0.004, 0.004)
    return (rgb, (opacity * (1 - near)).astype(np.float32)), (rgb, (opacity * near).astype(np.float32))


def _sky(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """[S, S, 3]: blue-black, a little lighter in the middle, with two or three faint stars."""
    haze = np.exp(-4 * (x**2 + y**2))[..., None]
    sky = NIGHT * (0.75 + 0.6 * haze)
    for _ in range(rng.integers(2, 4)):
        px, py = rng.uniform(-0.48, 0.48, 2)
        spread = rng.uniform(0.004, 0.007)
        across, down = (np.exp(-((axis - at) ** 2) / (2 * spread**2)) for axis, at in ((x[0], px), (y[:, 0], py)))
        sky += rng.uniform(0.1, 0.3) * np.outer(down, across)[..., None]
    return sky.astype(np.float32)


def _smooth(value: np.ndarray, low: float, high: float) -> np.ndarray:
    t = ((value - low) / (high - low)).clip(0, 1)
    return t * t * (3 - 2 * t)


@lru_cache(maxsize=1)
def _lattice() -> np.ndarray:
    return np.random.default_rng(20).random((16, 16, 16), dtype=np.float32).ravel()


def _noise(p: np.ndarray, rng: np.random.Generator, octaves: int) -> np.ndarray:
    """Fractal value noise at points ``p`` [n, 3]: [n], about 0 to 1 with mean 0.5 (Perlin's octaves, halved each)."""
    table, total = _lattice(), np.zeros(len(p), np.float32)
    p = np.ascontiguousarray(p.T, np.float32)  # [3, n]: each axis in one piece
    for octave in range(octaves):
        q = p * 2**octave + (rng.uniform(0, 16, (3, 1)) + 64).astype(np.float32)
        floor = np.floor(q)
        f, cell = q - floor, floor.astype(np.intp)
        f = f * f * (3 - 2 * f)
        value = np.zeros_like(total)
        (x0, y0, z0), (fx, fy, fz) = cell & 15, f
        x1, y1, z1 = (x0 + 1) & 15, (y0 + 1) & 15, (z0 + 1) & 15
        for xi, wx in ((x0, 1 - fx), (x1, fx)):
            for yi, wy in ((y0, 1 - fy), (y1, fy)):
                row, weight = (xi * 16 + yi) * 16, wx * wy
                value += weight * (table[row + z0] * (1 - fz) + table[row + z1] * fz)
        total += value * 0.5**octave
    total /= 2 - 0.5 ** (octaves - 1)
    return (total - 0.5) * 1.5 + 0.5  # averaging narrows the range; widen it again


def write_sample_set(
    folder: Path, count: int = 2000, size: int = 128, seed: int = 0, alpha: bool = False, progress: Progress = silent
) -> None:
    """Draw ``count`` planets as PNG files with captions (``metadata.jsonl``) into a new ``folder``.

    Picture ``i`` depends on ``(seed, i)`` alone.

    Raises:
        Cancelled: from ``progress``; the folder stays what it was.
    """

    def fill(new: Path) -> None:
        rows = []
        for index in range(count):
            progress(index / count, f"{index} of {count} planets drawn")
            planet = random_planet(np.random.default_rng((seed, index)))
            name = f"planet{index:05d}.png"
            draw(planet, size, alpha).save(new / name, compress_level=1)
            rows.append(json.dumps({"file_name": name, "text": caption(planet)}) + "\n")
        (new / "metadata.jsonl").write_text("".join(rows), encoding="utf-8")
        progress(1.0, "Done")

    storage.replace_folder(Path(folder), fill)
