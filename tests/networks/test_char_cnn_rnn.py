"""The character CNN-RNN against its published counts, and its recurrences against the formulas written out."""

import pytest
import torch
from torch import nn

from stackgan.networks.char_cnn_rnn import LENGTH, CharCnnRnn, Convolution, GatedRecurrence, ReluRecurrence


@pytest.mark.parametrize(("recurrence", "width", "count"), [("relu", 256, 1_814_144), ("gru", 512, 4_045_184)])
def test_published_parameter_counts(recurrence: str, width: int, count: int) -> None:
    assert sum(p.numel() for p in CharCnnRnn(recurrence, width).parameters()) == count  # type: ignore[arg-type]


@pytest.mark.parametrize(("recurrence", "width", "places"), [("relu", 256, 8), ("gru", 512, 18)])
def test_published_places_and_first_weights(recurrence: str, width: int, places: int) -> None:
    network = CharCnnRnn(recurrence, width)  # type: ignore[arg-type]
    assert network.convolve(torch.zeros(1, LENGTH, 70)).shape == (1, places, width)
    assert network(torch.zeros(3, LENGTH)).shape == (3, 1024)
    for weight in network.parameters():
        assert float(weight.detach().abs().max()) <= 0.08
    assert float(network.project.weight.detach().std()) == pytest.approx(0.16 / 12**0.5, rel=0.02)


def test_a_convolution_is_pytorchs() -> None:
    ours, x_BLC = Convolution(5, 7, 3), torch.randn(2, 20, 5)
    theirs = nn.Conv1d(5, 7, 4)
    theirs.weight.data, theirs.bias.data = ours.kernel.weight.detach().view(7, 4, 5).transpose(1, 2), ours.kernel.bias.data  # type: ignore[union-attr]
    expected = nn.functional.max_pool1d(torch.relu(theirs(x_BLC.transpose(1, 2))), 3, 3).transpose(1, 2)
    torch.testing.assert_close(ours(x_BLC), expected)


def test_the_relu_recurrence() -> None:
    layer, x = ReluRecurrence(3), torch.randn(4, 2, 3)
    W, U = layer.of_input, layer.of_state
    h = torch.relu(W(x[0]))
    total = h
    for place in (1, 2, 3):
        h = torch.relu(W(x[place]) + U(h))
        total = total + h
    torch.testing.assert_close(layer(x), total / 4)


def test_the_gated_recurrence() -> None:
    layer, x = GatedRecurrence(3), torch.randn(3, 2, 3)
    W, b = layer.of_input.weight, layer.of_input.bias

    def given(gate: int, place: int) -> torch.Tensor:
        rows = slice(3 * gate, 3 * gate + 3)
        return x[place] @ W[rows].T + b[rows]

    h = torch.tanh(given(2, 0))
    total = h
    for place in (1, 2):
        U, c = layer.gates_of_state.weight, layer.gates_of_state.bias
        u = torch.sigmoid(given(0, place) + h @ U[:3].T + c[:3])
        r = torch.sigmoid(given(1, place) + h @ U[3:].T + c[3:])
        h = u * torch.tanh(given(2, place) + layer.candidate_of_state(r * h)) + (1 - u) * h
        total = total + h
    torch.testing.assert_close(layer(x), total / 3)


def test_unknown_characters_are_nothing_and_known_ones_are_told_apart() -> None:
    network = CharCnnRnn("relu", 8, 4)
    text = torch.zeros(3, LENGTH)
    text[1, 100], text[2, 100] = 1, 70
    nothing, first, last = network(text)
    assert not torch.equal(nothing, first)
    assert not torch.equal(first, last)
    with pytest.raises(RuntimeError):
        network(torch.full((1, LENGTH), 71))
