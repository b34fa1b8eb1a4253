"""Sentences say what the scene shows, in many ways, and parse reads them back exactly."""

import numpy as np
import pytest

from stackgan.toybirds import ATTRIBUTES, captions, draw_scene, parse
from stackgan.toybirds.grammar import describe, phrase


def test_parse_inverts_the_grammar_over_many_captions():
    for index in range(400):
        scene = draw_scene(3, index)
        truth = scene.attributes()
        for sentence, said in describe(scene, 3, index):
            assert parse(sentence) == said, sentence
            assert 3 <= len(said) <= 6
            assert said.items() <= truth.items()


@pytest.mark.parametrize("name", list(ATTRIBUTES))
def test_every_value_can_be_said_alone_and_read_back(name):
    rng = np.random.default_rng(0)
    for value in ATTRIBUTES[name]:
        for _ in range(25):
            sentence = phrase({name: value}, rng)
            assert parse(sentence) == {name: value}, sentence


def test_captions_are_ten_different_sentences_and_repeat_for_the_same_key():
    scene = draw_scene(0, 5)
    first = captions(scene, 0, 5)
    assert len(set(first)) == 10
    assert first == captions(scene, 0, 5)
    assert first != captions(scene, 1, 5)
    assert first[:4] == captions(scene, 0, 5, n=4)


def test_every_attribute_is_mentioned_often_and_colours_most():
    counts = dict.fromkeys(ATTRIBUTES, 0)
    for index in range(200):
        for _, said in describe(draw_scene(0, index), 0, index):
            for name in said:
                counts[name] += 1
    assert min(counts.values()) > 200
    assert min(counts[name] for name in ("body", "wing", "crown", "belly")) > max(counts["tail"], counts["size"])


def test_word_order_decides():
    assert parse("red crown, yellow belly") == {"crown": "red", "belly": "yellow"}
    assert parse("yellow crown, red belly") == {"crown": "yellow", "belly": "red"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", {}),
        ("a photograph of my cat on the sofa", {}),
        ("three white bars in a town called red", {}),
        ("blue sky", {"background": "sky"}),
        ("A  BIG teal bird,\n its bill is Hooked", {"size": "large", "body": "teal", "beak_shape": "hooked"}),
        ("the wings are dark blue and it has two wing bars", {"wing": "blue", "wing_bars": "2"}),
        ("a bird with a black crown", {}),
        ("a bird without an eye ring facing right", {"eye_ring": "no", "facing": "right"}),
        ("a green bird among green leaves", {"body": "green", "background": "leaf"}),
    ],
)
def test_typed_sentences(text, said):
    assert parse(text) == said


def test_facing_is_always_said_with_left_or_right():
    for index in range(100):
        for sentence, said in describe(draw_scene(2, index), 2, index):
            words = set(sentence.rstrip(".").replace(",", "").split())
            assert ("facing" in said) == bool(words & {"left", "right"})
