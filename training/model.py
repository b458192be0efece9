"""The network: embeddings of strings and standardised numbers → the logit of being late."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from training.data import Encoders

WIDEST_EMBEDDING = 16
CLIP = 5.0


def embedding_width(categories: int) -> int:
    """Choose how many numbers describe one of `categories` values."""
    return min(WIDEST_EMBEDDING, (categories + 1) // 2 + 1)


class DelayModel(nn.Module):
    """A multilayer perceptron over raw features.

    The encoders' statistics are buffers of the model: it takes numbers as they are, puts the
    median where one is missing, standardises, clips at five deviations, and adds a flag for each
    missing number.

    Args:
        encoders: vocabularies and statistics of train.
        hidden: widths of the hidden layers.
        dropout: share of a hidden layer's outputs left out in training.
    """

    medians: torch.Tensor
    means: torch.Tensor
    stds: torch.Tensor

    def __init__(self, encoders: Encoders, hidden: tuple[int, ...], dropout: float) -> None:
        super().__init__()
        sizes = [len(known) + 1 for known in encoders["strings"].values()]
        self.embeddings = nn.ModuleList(nn.Embedding(size, embedding_width(size)) for size in sizes)
        numbers = list(encoders["numbers"].values())
        self.register_buffer("medians", torch.tensor([n["median"] for n in numbers]))
        self.register_buffer("means", torch.tensor([n["mean"] for n in numbers]))
        self.register_buffer("stds", torch.tensor([n["std"] for n in numbers]))
        width = sum(embedding_width(size) for size in sizes) + 2 * len(numbers)
        layers: list[nn.Module] = []
        for size in hidden:
            layers += [nn.Linear(width, size), nn.ReLU(), nn.Dropout(dropout)]
            width = size
        self.layers = nn.Sequential(*layers, nn.Linear(width, 1))

    def linear_layers(self) -> list[nn.Linear]:
        """List the linear layers from input to output."""
        return [layer for layer in self.layers if isinstance(layer, nn.Linear)]

    def forward(self, codes: torch.Tensor, numbers: torch.Tensor) -> torch.Tensor:
        """Give the logits, float32 [n], of codes int64 [n, strings], numbers float32 [n, k]."""
        missing = torch.isnan(numbers)
        filled = torch.where(missing, self.medians, numbers)
        scaled = ((filled - self.means) / self.stds).clamp(-CLIP, CLIP)
        embedded = [embed(codes[:, i]) for i, embed in enumerate(self.embeddings)]
        features = torch.cat([*embedded, scaled, missing.to(scaled.dtype)], dim=1)
        logits: torch.Tensor = self.layers(features)
        return logits.squeeze(1)
