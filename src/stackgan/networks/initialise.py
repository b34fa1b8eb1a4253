"""First weights of both code families, and spectral norm. Draws come from torch's global generator, which the caller seeds."""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from stackgan.networks.blocks import full_precision

Initialisation = Literal["truncated_normal", "normal", "normal_convolutions"]
"""Convolutions: truncated normal (the paper's TensorFlow code) or normal (the authors' PyTorch code), standard deviation 0.02.

normal_convolutions: as normal, but linear layers keep torch's own first values (GAN-CLS).
"""


def initialise(network: nn.Module, kind: Initialisation) -> None:
    """Linear and transposed convolutions N(0, 0.02), batch norm's gamma N(1, 0.02), their biases 0; but see Initialisation.

    Biases of convolutions keep torch's own first values, as in the authors' PyTorch code.
    """
    for module in network.modules():
        if isinstance(module, nn.Linear) and kind == "normal_convolutions":
            continue
        if isinstance(module, nn.Conv2d) and kind == "truncated_normal":
            nn.init.trunc_normal_(module.weight, std=0.02, a=-0.04, b=0.04)
        elif isinstance(module, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
            nn.init.normal_(module.weight, std=0.02)
        elif isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            nn.init.normal_(module.weight, mean=1.0, std=0.02)
        if isinstance(module, (nn.Linear, nn.BatchNorm1d, nn.BatchNorm2d)) and module.bias is not None:
            nn.init.zeros_(module.bias)


class SpectralNorm(nn.Module):
    """Divides a weight by its largest singular value: one power iteration a forward pass in training (Miyato et al. 2018).

    Unlike torch's own, it stays in the weight's precision under CUDA autocast (where torch's mixes element types and stops), and
    reads a channels_last weight without copying it: the order of columns does not change singular values.
    """

    left: Tensor
    right: Tensor

    def __init__(self, weight: Tensor, first_iterations: int = 15) -> None:
        super().__init__()
        matrix = self.matrix(weight.detach())
        self.register_buffer("left", nn.functional.normalize(torch.randn_like(matrix[:, 0]), dim=0))
        self.register_buffer("right", nn.functional.normalize(torch.randn_like(matrix[0]), dim=0))
        for _ in range(first_iterations):
            self.iterate(matrix)

    @staticmethod
    def matrix(weight: Tensor) -> Tensor:
        """(out, in, ...) -> (out, everything else)."""
        return weight.movedim(1, -1).flatten(1)

    @torch.no_grad()
    def iterate(self, matrix: Tensor) -> None:
        """One step of the power method, in place: distributed training and checkpoints see the same buffers throughout."""
        self.left.copy_(nn.functional.normalize(matrix.mv(self.right), dim=0))
        self.right.copy_(nn.functional.normalize(matrix.t().mv(self.left), dim=0))

    def forward(self, weight: Tensor) -> Tensor:
        """weight with largest singular value about 1."""
        with full_precision(weight):
            matrix = self.matrix(weight)
            if self.training:
                self.iterate(matrix.detach())
            # Copies, since D runs several times before one backward pass, and each pass changes the buffers.
            sigma = torch.dot(self.left.clone(), matrix.mv(self.right.clone()))
            return weight / sigma


def normalise_spectrum(network: nn.Module) -> None:
    """Spectral norm on every convolution and linear layer. After initialise: the first power iterations read the first weights."""
    for module in list(network.modules()):
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            parametrize.register_parametrization(module, "weight", SpectralNorm(module.weight))
