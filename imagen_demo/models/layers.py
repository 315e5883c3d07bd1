"""The few layers every network here is made of. All weights use the equalised learning rate.

Activations are float32 (or the autocast type) [N, C, H, W].
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.grad import conv2d_weight

LEAK = 0.2
GROUP = 4  # pictures whose variety MinibatchStd measures together
ACTIVATION_GAIN = math.sqrt(2)  # keeps the variance of a leaky ReLU's output near 1


def activate(x: Tensor) -> Tensor:
    """Leaky ReLU without its gain: the next layer's weights carry it (see ``gain``)."""
    return F.leaky_relu(x, LEAK)


def second_moment_norm(x: Tensor) -> Tensor:
    """x / sqrt(mean(x^2)) over the features of [N, F] (StyleGAN2's pixel norm of z)."""
    return x * (x.square().mean(dim=1, keepdim=True) + 1e-8).rsqrt()


def normal(*shape: int, std: float = 1.0) -> nn.Parameter:
    """Random weights; only their shape on device "meta", where drawing makes torch import a second's worth of code."""
    weights = torch.empty(*shape)
    return nn.Parameter(weights if weights.is_meta else nn.init.normal_(weights, std=std))


def embedding(count: int, size: int) -> nn.Embedding:
    """One random vector [size] for each of ``count`` classes."""
    return nn.Embedding.from_pretrained(normal(count, size), freeze=False)


class Linear(nn.Module):
    """y = gain / sqrt(F_in) W x + b, with W ~ N(0, 1) (Karras et al. 2018, equalised learning rate)."""

    def __init__(self, inputs: int, outputs: int, *, gain: float = 1.0, bias: float = 0.0, rate: float = 1.0) -> None:
        super().__init__()
        self.weight = normal(outputs, inputs, std=1 / rate)
        self.bias = nn.Parameter(torch.full((outputs,), bias / rate))
        self.scale, self.rate = gain * rate / math.sqrt(inputs), rate

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight * self.scale, self.bias * self.rate)


class Conv(nn.Module):
    """A k x k convolution of the same size, equalised like :class:`Linear`."""

    def __init__(self, inputs: int, outputs: int, kernel: int, *, gain: float = 1.0, bias: bool = True) -> None:
        super().__init__()
        self.weight = normal(outputs, inputs, kernel, kernel)
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.scale = gain / math.sqrt(inputs * kernel**2)

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight * self.scale
        if not _twice:
            return F.conv2d(x, weight, self.bias, padding=weight.shape[2] // 2)
        x = TwiceDifferentiable.apply(x, weight)
        return x if self.bias is None else x + self.bias.view(1, -1, 1, 1)


_twice = False  # for all threads: PyTorch takes the gradients of a GPU in one of its own


@contextmanager
def twice_differentiable() -> Iterator[None]:
    """Inside, the gradients of pictures that are taken through :class:`Conv` have fast gradients themselves.

    Not under autocast. Inside, gradients of weights are None; afterwards they can be taken, also of what was done here.
    """
    global _twice
    before, _twice = _twice, True
    try:
        yield
    finally:
        _twice = before


class TwiceDifferentiable(torch.autograd.Function):
    """A k x k convolution of the same size. The gradient of x is a transposed convolution, and its own gradients are
    what a network's layers usually have; those of PyTorch's gradient of a convolution have kernels as large as the
    picture, for which GPUs are not made (the same way round is taken by StyleGAN2-ADA's conv2d_gradfix).
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return F.conv2d(x, weight, padding=weight.shape[2] // 2)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        padding = weight.shape[2] // 2
        of_x = F.conv_transpose2d(gradient, weight, padding=padding) if ctx.needs_input_grad[0] else None
        of_weight = None if _twice else conv2d_weight(x, weight.shape, gradient, padding=padding)
        return of_x, of_weight


class ModulatedConv(nn.Module):
    """Convolution whose weights each picture scales by its own style (StyleGAN2, eq. 1 to 3).

    The paper scales the weights, w'_oik = s_i w_oik, and divides by their norm over (i, k).
    Scaling the input channels by s_i and the output channels by the same norm is the same
    mathematics, and needs one plain convolution for the whole batch: grouped convolutions are
    slow on CPUs.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, w_dim: int, *, demodulate: bool = True) -> None:
        super().__init__()
        # Layers that paint (the undemodulated ones) start faint: every size adds to the picture.
        spread = 1.0 if demodulate else 0.25
        self.weight = normal(outputs, inputs, kernel, kernel, std=spread)
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.style = Linear(w_dim, inputs, bias=1.0)
        self.scale = 1 / math.sqrt(inputs * kernel**2)
        self.demodulate = demodulate

    def forward(self, x: Tensor, w: Tensor) -> Tensor:  # [N, I, H, W], [N, w_dim] -> [N, O, H, W]
        style = self.style(w)
        weight = self.weight * self.scale
        bias = self.bias.view(1, -1, 1, 1)
        x = F.conv2d(x * style[:, :, None, None], weight, padding=weight.shape[2] // 2)
        if not self.demodulate:
            return x + bias
        norm = style.square() @ weight.square().sum(dim=(2, 3)).T  # [N, O]: sum over i, k of (s_i w_oik)^2
        demodulation = ACTIVATION_GAIN * (norm + 1e-8).rsqrt()
        # Under autocast all three in the type of x: one float32 would make the whole feature map float32.
        return torch.addcmul(bias.to(x.dtype), x, demodulation[:, :, None, None].to(x.dtype))


def upsample(x: Tensor) -> Tensor:
    """Twice the size, bilinear (the [1 3 3 1] filter of StyleGAN2, with clamped borders)."""
    return _resize(x, 2)


def downsample(x: Tensor) -> Tensor:
    """Half the size, the mean of each 2 x 2: what bilinear comes to, and several times faster than a pool on a CPU."""
    return _resize(x, 0.5)


def _resize(x: Tensor, factor: float) -> Tensor:
    with torch.autocast(x.device.type, enabled=False):  # which would make float32 of it
        return F.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=False)


class MinibatchStd(nn.Module):
    """One more channel: how much a group of :data:`GROUP` pictures varies (Karras et al. 2018, section 3).

    Groups are consecutive pictures: a batch [real, fake] goes through in one pass unmixed if each half is whole groups.
    """

    def forward(self, x: Tensor) -> Tensor:  # [N, C, H, W] -> [N, C + 1, H, W]
        n, c, h, w = x.shape
        size = math.gcd(n, GROUP)
        groups = x.reshape(n // size, size, c, h, w)
        # Written out: torch.var over a middle dimension is several times slower on a CPU.
        variance = (groups - groups.mean(dim=1, keepdim=True)).square().mean(dim=1)
        std = (variance + 1e-8).sqrt().mean(dim=(1, 2, 3))  # [N / size]
        return torch.cat([x, std.repeat_interleave(size).view(n, 1, 1, 1).expand(n, 1, h, w)], dim=1)
