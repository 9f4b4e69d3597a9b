"""Training framework for physics-informed neural networks on PyTorch Lightning."""

__version__ = "0.1.0"
