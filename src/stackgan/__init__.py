"""StackGAN experiment platform: text-to-image GANs on PyTorch Lightning and Hydra."""

__version__ = "0.1.0"
