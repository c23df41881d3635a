"""Optimisers over parameter groups: no decay on norms and biases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from modelmint.workshop.training.types import Plan

Groups = list[dict[str, Any]]


def parameter_groups(network: nn.Module, plan: Plan) -> Groups:
    """At most two groups: weights, which decay, and norms and biases, which do not."""
    found: dict[bool, list[nn.Parameter]] = {}
    for parameter in network.parameters():
        if parameter.requires_grad:
            found.setdefault(parameter.ndim > 1, []).append(parameter)
    return [
        {"params": parameters, "weight_decay": plan.weight_decay if decayed else 0.0}
        for decayed, parameters in sorted(found.items())
    ]


def _adamw(groups: Groups, rate: float) -> torch.optim.Optimizer:
    # Loshchilov and Hutter 2019; fused does a step in one pass over memory
    return torch.optim.AdamW(groups, lr=rate, fused=True)


def _sgd(groups: Groups, rate: float) -> torch.optim.Optimizer:
    return torch.optim.SGD(groups, lr=rate, momentum=0.9, nesterov=True)


OPTIMISERS: dict[str, Callable[[Groups, float], torch.optim.Optimizer]] = {"adamw": _adamw, "sgd": _sgd}


def make_optimiser(network: nn.Module, plan: Plan) -> torch.optim.Optimizer:
    """The plan's optimiser over the parameters that are trained."""
    return OPTIMISERS[plan.optimizer](parameter_groups(network, plan), plan.learning_rate)


def set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Give every group the rate of this step."""
    for group in optimiser.param_groups:
        group["lr"] = rate
