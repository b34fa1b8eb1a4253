"""The character CNN-RNN of Reed et al. (CVPR 2016, "Learning deep representations of fine-grained visual descriptions").

Both published variants: HybridCNN (ReLU recurrence over 8 places) and the longer one with a GRU over 18 places, which made
StackGAN's embeddings of CUB.
"""

from typing import Literal

import torch
from torch import Tensor, nn

from stackgan.core.ranges import Positive

LENGTH, SYMBOLS = 201, 70
"""Characters read of a sentence, and how many different ones there are; number 0 stands for none of them."""

KERNEL, POOL = 4, 3

START = 0.08
"""All weights begin uniform in [-START, START] (Reed's code)."""


class CharCnnRnn(nn.Module):
    """Three convolutions over characters, a recurrent network over what is left of their places, and the mean of its outputs.

    recurrence: "relu" (HybridCNN: a third pooling, 8 places, h = relu(W x + U h)) or "gru" (no third pooling, 18 places).
    width: channels of the third convolution and of the recurrence: 256 and 512 as published. dim: E.
    """

    reads = "characters"

    def __init__(self, recurrence: Literal["relu", "gru"], width: Positive, dim: Positive = 1024) -> None:
        super().__init__()
        self.dim, self.recurrence = dim, recurrence
        last = 2 if recurrence == "relu" else None
        self.convolve = nn.Sequential(Convolution(SYMBOLS, 384, 3), Convolution(384, 512, 3), Convolution(512, width, last))
        self.recur: ReluRecurrence | GatedRecurrence = ReluRecurrence(width) if recurrence == "relu" else GatedRecurrence(width)
        self.project = nn.Linear(width, dim)
        for weight in self.parameters():
            nn.init.uniform_(weight, -START, START)

    def forward(self, text_BL: Tensor) -> Tensor:
        """(B, L) places in the alphabet, 1 to 70, 0 for none (any number type) -> embeddings (B, E)."""
        one_hot_BLS = nn.functional.one_hot(text_BL.long(), SYMBOLS + 1)[..., 1:]
        features_BLC = self.convolve(one_hot_BLS.to(self.project.weight.dtype))
        found: Tensor = self.project(self.recur(features_BLC.transpose(0, 1)))
        return found


class Convolution(nn.Module):
    """Over four places, then ReLU and, where stride is given, the maximum of three places every so many.

    A matrix product over the unfolded input rather than PyTorch's convolution, whose backward pass in one dimension is half as fast
    on a CPU.
    """

    def __init__(self, inputs: int, outputs: int, stride: int | None) -> None:
        super().__init__()
        self.kernel, self.stride = nn.Linear(KERNEL * inputs, outputs), stride

    def forward(self, x_BLC: Tensor) -> Tensor:
        """(B, L, C) -> (B, L', C')."""
        x_BLC = torch.relu(self.kernel(x_BLC.unfold(1, KERNEL, 1).transpose(2, 3).flatten(2)))
        if self.stride is None:
            return x_BLC
        return nn.functional.max_pool1d(x_BLC.transpose(1, 2), POOL, self.stride).transpose(1, 2)


class ReluRecurrence(nn.Module):
    """h = relu(W x + U h), h = relu(W x) at first; the mean over places."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.of_input, self.of_state = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, x_LBC: Tensor) -> Tensor:
        """(L, B, C) -> (B, C)."""
        given_LBC = self.of_input(x_LBC)
        state_BC = torch.relu(given_LBC[0])
        states = [state_BC]
        for given_BC in given_LBC[1:]:
            state_BC = torch.relu(given_BC + self.of_state(state_BC))
            states.append(state_BC)
        return torch.stack(states).mean(0)


class GatedRecurrence(nn.Module):
    """The GRU of Reed's code, which torch.nn.GRU is not, and the mean over places.

    h = u * candidate + (1 - u) * h, the reset is applied to h before its matrix, and the first place has no gates: h = tanh(W x).
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        # Update gate, reset gate, candidate.
        self.of_input, self.gates_of_state = nn.Linear(width, 3 * width), nn.Linear(width, 2 * width)
        self.candidate_of_state = nn.Linear(width, width)

    def forward(self, x_LBC: Tensor) -> Tensor:
        """(L, B, C) -> (B, C)."""
        given_LBC = self.of_input(x_LBC)
        width = self.candidate_of_state.in_features
        state_BC = torch.tanh(given_LBC[0, :, 2 * width :])
        states = [state_BC]
        for given_BC in given_LBC[1:]:
            gates_BC = torch.sigmoid(given_BC[:, : 2 * width] + self.gates_of_state(state_BC))
            update_BC, reset_BC = gates_BC.chunk(2, dim=1)
            candidate_BC = torch.tanh(given_BC[:, 2 * width :] + self.candidate_of_state(reset_BC * state_BC))
            state_BC = update_BC * candidate_BC + (1 - update_BC) * state_BC
            states.append(state_BC)
        return torch.stack(states).mean(0)
