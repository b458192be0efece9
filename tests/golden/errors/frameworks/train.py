"""Trains nothing."""

import torch

torch.manual_seed(1)
