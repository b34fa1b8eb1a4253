"""Training loops in plain PyTorch, as one would write them by hand: the measure of what the platform's Trainer adds.

Same networks and the same arithmetic as recipes `pytorch` and `modern`; batches lie in memory, nothing is logged or saved.
"""

import copy
from collections.abc import Callable
from itertools import cycle
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrize

from stackgan.core.shapes import Batch
from stackgan.objectives.augment import translate
from stackgan.stage.stacked import Draws
from stackgan.stage.stackgan import StackGAN

Loop = Callable[[], None]
"""Takes one iteration: D's turn and G's."""


TUNED = frozenset({"bf16", "channels_last", "fused Adam", "D frozen", "average"})
"""bf16: autocast. D frozen: in G's turn. average: the averaged generator, where the recipe has one."""


class Bare:
    """A copy of a stage's networks with optimisers of its own.

    how: which of TUNED it uses; none of them is what published code does: contiguous, float32, plain Adam, all weights of D
    differentiated in G's turn.
    """

    capturable = False

    def __init__(self, stage: StackGAN, batches: list[Batch], how: frozenset[str]) -> None:
        copied = copy.deepcopy(stage)
        self.G, self.D, self.average, self.recipe = copied.generator, copied.discriminator, copied.average, copied.recipe
        self.how, self.size, self.device, self.bf16 = how, copied.resolution, stage.device, "bf16" in how
        self.widths = copied.noise_dim, copied.condition_dim, copied.first_condition_dim
        self.memory = torch.channels_last if "channels_last" in how else torch.contiguous_format
        for network in (self.G, self.D):
            network.to(memory_format=self.memory)
        fused = "fused Adam" in how
        adam: dict[str, Any] = {
            "betas": (self.recipe.beta1, self.recipe.beta2),
            "fused": fused,
            "foreach": None if fused else False,
            "capturable": self.capturable,
        }
        self.for_G = torch.optim.Adam([p for p in self.G.parameters() if p.requires_grad], lr=self.recipe.generator_lr, **adam)
        self.for_D = torch.optim.Adam(self.D.parameters(), lr=self.recipe.discriminator_lr, **adam)
        self.batches, self.count = cycle([self._ready(batch) for batch in batches]), 0

    def _ready(self, batch: Batch) -> Batch:
        return batch.to(self.device)

    def step(self) -> None:
        """One iteration."""
        batch = next(self.batches)
        real = batch.real_BCHW.float().mul_(2 / 255).sub_(1).contiguous(memory_format=self.memory)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            fakes = self.G(batch.text_BT, self._draws(len(real)))
            loss = self._for_discriminator(batch, real, fakes)
        self._down(self.for_D, loss)
        if "D frozen" in self.how:
            self.D.requires_grad_(False)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16), parametrize.cached():
            loss = self._for_generator(batch, fakes)
        self._down(self.for_G, loss)
        self.D.requires_grad_(True)
        if "average" in self.how and self.average is not None:
            with torch.no_grad():
                torch._foreach_lerp_(list(self.average.parameters()), list(self.G.parameters()), 1 - self.recipe.average_decay)
                torch._foreach_copy_(list(self.average.buffers()), list(self.G.buffers()))
        self.count += 1

    def _down(self, adam: torch.optim.Optimizer, loss: Tensor) -> None:
        adam.zero_grad()
        loss.backward()
        adam.step()

    def _draws(self, count: int) -> Draws:
        return Draws(*(torch.randn(count, width, device=self.device) for width in self.widths))

    def _seen(self, x: Tensor) -> Tensor:
        """What D sees of pictures: moved, where the recipe moves them."""
        reach = round(self.recipe.augment_translation * self.size)
        return translate(x, torch.randint(-reach, reach + 1, (len(x), 2))) if reach else x

    def _text(self, text: Tensor, fakes: Any) -> Tensor:
        return text if self.D.text_input == "embedding" else fakes.condition.mean_BK.detach()

    def _for_discriminator(self, batch: Batch, real: Tensor, fakes: Any) -> Tensor:
        text, hinge = self._text(batch.text_BT, fakes), self.recipe.discriminator_loss == "hinge"
        with parametrize.cached():
            on_real, on_fake = self.D.features(self._seen(real)), self.D.features(self._seen(fakes.x_BCHW.detach()))
            if self.recipe.mismatched_pair == "roll":
                wrong = self.D.conditional(on_real[:-1], text[1:])
            else:
                wrong = self.D.conditional(on_real, batch.mismatched_text_BT)
            right, fake = self.D.conditional(on_real, text), self.D.conditional(on_fake, text)
        yes, no = (lambda x: F.relu(1 - x), lambda x: F.relu(1 + x)) if hinge else (lambda x: F.softplus(-x), F.softplus)
        loss = yes(right.float()).mean() + (no(wrong.float()).mean() + no(fake.float()).mean()) / 2
        if self.D.unconditional_head is not None:
            loss = loss + yes(self.D.unconditional(on_real).float()).mean() + no(self.D.unconditional(on_fake).float()).mean()
        if self.recipe.r1_weight and self.count % self.recipe.r1_every == 0:
            loss = loss + 0.5 * self.recipe.r1_weight * self.recipe.r1_every * self._penalty(real, text)
        return loss

    def _penalty(self, real: Tensor, text: Tensor) -> Tensor:
        with torch.autocast(self.device.type, enabled=False):
            leaf = real.detach().requires_grad_()
            logit = self.D.conditional(self.D.features(leaf), text.float())
            (slope,) = torch.autograd.grad(logit.sum(), leaf, create_graph=True)
            return slope.square().flatten(1).sum(1).mean()

    def _for_generator(self, batch: Batch, fakes: Any) -> Tensor:
        features = self.D.features(self._seen(fakes.x_BCHW))
        heads = [self.D.conditional(features, self._text(batch.text_BT, fakes))]
        heads += [self.D.unconditional(features)] if self.D.unconditional_head is not None else []
        hinge = self.recipe.generator_loss == "hinge"
        loss = torch.stack([(-head if hinge else F.softplus(-head)).float().mean() for head in heads]).sum()
        mean, log_sigma = fakes.condition.mean_BK.float(), fakes.condition.log_sigma_BK.float()
        return loss + self.recipe.kl_weight * (0.5 * (mean.square() + (2 * log_sigma).exp() - 1) - log_sigma).mean()


class Graphed(Bare):
    """The loop's iteration as one CUDA graph, replayed on one batch: what is left when the host launches nothing.

    Only for recipes that draw nothing on the host (`pytorch`).
    """

    capturable = True

    def __init__(self, stage: StackGAN, batches: list[Batch], how: frozenset[str]) -> None:
        super().__init__(stage, batches[:1], how)
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(3):  # what is made or chosen at first must not be captured
                super().step()
        torch.cuda.current_stream().wait_stream(aside)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            super().step()

    def step(self) -> None:
        """One iteration."""
        self.graph.replay()


def convolution_peak(device: torch.device, bf16: bool, now: Callable[[], float]) -> float:
    """The most FLOP/s that this machine reached, over some plain 3x3 and 4x4 convolutions, forward, channels_last."""
    best, batch = 0.0, 16 if device.type == "cpu" else 512
    kind = torch.bfloat16 if bf16 else torch.float32
    for channels, side, kernel in ((128, 64, 3), (256, 32, 3), (512, 16, 3), (256, 64, 3)):
        layer = nn.Conv2d(channels, channels, kernel, padding=1, bias=False).to(device, kind, memory_format=torch.channels_last)
        x = torch.randn(batch, channels, side, side, device=device).to(kind, memory_format=torch.channels_last)
        flops = 2 * batch * side * side * channels * channels * kernel * kernel
        with torch.no_grad():
            layer(x)
            for _ in range(4):
                begun = now()
                layer(x)
                best = max(best, flops / (now() - begun))
    return best
