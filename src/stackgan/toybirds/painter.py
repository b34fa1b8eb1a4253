"""The drawing itself, part by part, back to front."""

from __future__ import annotations

import numpy as np

from stackgan.toybirds import plumage, shapes
from stackgan.toybirds.backdrop import backdrop
from stackgan.toybirds.easel import FULL, Easel, Pose
from stackgan.toybirds.palette import ANCHORS, BACKDROPS, INK, LEG, STONE, TWIG, WHITE, shade
from stackgan.toybirds.scene import Scene
from stackgan.toybirds.shapes import moved


def _floor(easel: Easel, scene: Scene, pose: Pose) -> None:
    """A twig in the air and among leaves, a stone in water, the bird's own shadow on sand and snow."""
    u, y = pose.unit, shapes.PERCH_Y
    if scene.background in ("sky", "leaf"):
        lean = (scene.grain % 7 - 3) * 0.04
        twig = moved(np.array([[(-6.0, y + 0.06 - 6 * lean), (6.0, y + 0.06 + 6 * lean)]]), pose.ground)
        easel.strokes(twig, shade(TWIG, 84), 0.15 * u)
        easel.strokes(twig - np.array([0, 0.02 * u]), TWIG, 0.10 * u)
        return
    foot = moved(np.array([0.0, y]), pose.ground)
    if scene.background == "water":
        easel.oval(foot + np.array([0, 0.15 * u]), (0.72 * u, 0.20 * u), shade(STONE, 84))
        easel.oval(foot + np.array([0, 0.09 * u]), (0.66 * u, 0.14 * u), STONE)
        return
    easel.oval(foot + np.array([0, 0.05 * u]), (1.05 * u, 0.11 * u), shade(BACKDROPS[scene.background], 90))


def _legs(easel: Easel, pose: Pose) -> None:
    for x, percent in zip(shapes.LEGS_X, (88, 100), strict=True):
        hip = moved(np.array([x, 0.6]), pose.body)
        foot, *toes = moved(
            np.array([(x + 0.05, shapes.PERCH_Y), *((x + 0.05 + toe, shapes.PERCH_Y + 0.05) for toe in plumage.TOES)]),
            pose.ground,
        )
        easel.strokes(np.array([[hip, foot]]), shade(LEG, percent), 0.055 * pose.unit)
        easel.strokes(np.array([[foot, toe] for toe in toes]), shade(LEG, percent), 0.045 * pose.unit)
        easel.seen(np.array(toes), 0.02 * pose.unit)


def _tail(easel: Easel, scene: Scene, pose: Pose) -> None:
    colour, outline = ANCHORS["wing", scene.wing], shapes.TAILS[scene.tail]
    placed = moved(outline, pose.body)
    easel.fill(placed, colour)
    easel.seen(placed)
    easel.strokes(moved(plumage.tail_feathers(outline), pose.body), shade(colour, 86), 0.03 * pose.unit)


def _torso(easel: Easel, scene: Scene, pose: Pose, rng: np.random.Generator) -> None:
    u, colour = pose.unit, ANCHORS["body", scene.body]
    body = moved(shapes.BODY, pose.body)
    centres = [moved(disc[:2], turned) for disc, turned in zip(shapes.NECK_DISCS, pose.neck, strict=True)]
    # A rim one tone darker, then the body: flat tones instead of a gradient keep the colour readable.
    for tone, grow in ((90, 0.030), (100, 0.0)):
        easel.fill(body + (body - body.mean(0)) * grow, shade(colour, tone))
        for centre, disc in zip(centres, shapes.NECK_DISCS, strict=True):
            easel.disc(centre, (float(disc[2]) + grow * 0.8) * u, shade(colour, tone))
    easel.seen(body, 0.03 * u)
    easel.seen(centres[-1][None], shapes.HEAD_RADIUS * u)
    easel.oval(moved(np.array(shapes.CHEEK), pose.head), (0.20 * u, 0.15 * u), shade(colour, 109))
    speckles = moved(plumage.back_speckles(rng), pose.body)
    easel.strokes(speckles[::2], shade(colour, 111), 0.03 * u)
    easel.strokes(speckles[1::2], shade(colour, 89), 0.03 * u)


def _belly(easel: Easel, scene: Scene, pose: Pose, rng: np.random.Generator) -> None:
    u, colour = pose.unit, ANCHORS["belly", scene.belly]
    outline = moved(shapes.BELLY, pose.body)
    centre = outline.mean(0)
    easel.fill(outline, shade(colour, 93))
    easel.fill(centre + (outline - centre) * 0.90 - np.array([0, 0.03 * u]), colour)
    easel.strokes(moved(plumage.belly_speckles(rng), pose.body), shade(colour, 90), 0.022 * u)


def _wing(easel: Easel, scene: Scene, pose: Pose) -> None:
    """Bars are 2 px (of 256) of white between dark edges: no white is left at 64 px, though a trained eye finds a trace."""
    u, colour = pose.unit, ANCHORS["wing", scene.wing]
    outline = moved(shapes.WING, pose.body)
    easel.fill(outline, shade(colour, 86))
    easel.fill(outline - np.array([0, 0.025 * u]), colour)
    easel.seen(outline, 0.025 * u)
    easel.strokes(moved(plumage.PRIMARIES, pose.body), shade(colour, 82), 0.022 * u)
    easel.strokes(moved(plumage.SCALLOPS, pose.body), shade(colour, 122), 0.024 * u)
    bars = moved(plumage.wing_bars(int(scene.wing_bars)), pose.body)
    easel.strokes(bars, shade(colour, 40), 11)
    easel.strokes(bars, WHITE, 4)


def _head(easel: Easel, scene: Scene, pose: Pose) -> None:
    u, beak, crown = pose.unit, ANCHORS["beak", scene.beak], ANCHORS["crown", scene.crown]
    for outline, colour in ((shapes.BEAKS[scene.beak_shape], beak), (shapes.CROWN, crown)):
        placed = moved(outline, pose.head)
        easel.fill(placed, colour)
        easel.seen(placed)
    easel.strokes(moved(plumage.GAPE, pose.head), shade(beak, 80), 2)
    easel.strokes(moved(plumage.CROWN_FEATHERS, pose.head), shade(crown, 87), 0.026 * u)


def _eye(easel: Easel, scene: Scene, pose: Pose) -> None:
    """Pupil and glint; a ring is 2 px (of 256) of white in a dark rim: blurred away at 64 px, but for a faint trace."""
    centre, radius = moved(np.array(shapes.EYE), pose.head), 0.088 * pose.unit
    if scene.eye_ring == "yes":
        easel.disc(centre, radius + 8.5, shade(ANCHORS["body", scene.body], 50))
        easel.disc(centre, radius + 4.5, WHITE)
    easel.disc(centre, radius, INK)
    easel.disc(centre - 0.3 * radius, 0.28 * radius, WHITE)


def paint(scene: Scene, pose: Pose) -> Easel:
    """The finished canvas, FULL x FULL RGB, with the bird's extent, which may lie beyond the edge."""
    easel = Easel(backdrop(scene.background, scene.grain, FULL))
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([scene.grain])))
    _floor(easel, scene, pose)
    _legs(easel, pose)
    _tail(easel, scene, pose)
    _torso(easel, scene, pose, rng)
    _belly(easel, scene, pose, rng)
    _wing(easel, scene, pose)
    _head(easel, scene, pose)
    _eye(easel, scene, pose)
    return easel
