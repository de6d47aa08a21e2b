"""The training recipe: Adam with two groups, separate clipping of the blending vectors, decay after each epoch."""

import torch

from loss import losses

TEXT_RATE, VISION_RATE, DECAY = 5e-4, 1e-3, 0.9


class Trainer:
    def __init__(self, model):
        self.model = model
        parameters = model.parameters
        for tensor in parameters.values():
            tensor.requires_grad_(True)
        text = [tensor for name, tensor in parameters.items() if name.startswith("text.")]
        vision = [tensor for name, tensor in parameters.items() if name.startswith("visual.")]
        self.blends = [tensor for name, tensor in parameters.items() if name.endswith(".blend")]
        self.adam = torch.optim.Adam(
            [{"params": text, "lr": TEXT_RATE}, {"params": vision, "lr": VISION_RATE}], betas=(0.9, 0.999), eps=1e-8
        )
        self.schedule = torch.optim.lr_scheduler.ExponentialLR(self.adam, DECAY)

    def gradient(self, images, ids, mask, label):
        """Forward and backward, with fresh gradients in every parameter; returns the Losses before any step."""
        fused = self.model.fuse(self.model.vision(images), self.model.text(*ids))
        out = losses(
            self.model.options, self.model.map(fused, images.shape[-1]), fused.class_logits, mask, label
        )
        self.adam.zero_grad()
        out.total.backward()
        return out

    def step(self):
        for blend in self.blends:
            torch.nn.utils.clip_grad_norm_(blend, 1.0)
        self.adam.step()

    def end_epoch(self):
        self.schedule.step()
