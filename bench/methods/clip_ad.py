"""CLIP-AD's SDP and SDP+ as the authors' code computes them, in float32."""

import numpy as np
import open_clip
import torch
import torch.nn.functional as F
from released import Clip, DualAttention, dice, focal, unit
from scipy.ndimage import gaussian_filter
from sklearn.cluster import DBSCAN
from torch import nn

LEVELS = (3, 6, 9, 12)
STATES = (
    ("flawless {}", "perfect {}", "unblemished {}", "{} without flaw", "{} without defect", "{} without damage",
     "{} without scratch", "{} without crack", "{} without contamination"),
    ("damaged {}", "imperfect {}", "blemished {}", "broken {}", "{} with flaw", "{} with defect", "{} with damage",
     "{} with scratch", "{} with crack", "{} with contamination"),
)  # fmt: skip
TEMPLATES = (
    "a cropped photo of the {}.", "a cropped photo of a {}.", "a close-up photo of a {}.", "a close-up photo of the {}.",
    "a bright photo of a {}.", "a bright photo of the {}.", "a dark photo of the {}.", "a dark photo of a {}.",
    "a jpeg corrupted photo of a {}.", "a jpeg corrupted photo of the {}.", "a blurry photo of the {}.",
    "a blurry photo of a {}.", "a photo of the {}.", "a photo of a {}.", "a photo of a large {}.",
    "a photo of the small {}.", "a photo of the large {}.", "a photo of a small {}.",
    "a photo of the {} for visual inspection.", "a photo of a {} for visual inspection.",
    "a photo of the {} for anomaly detection.", "a photo of a {} for anomaly detection.",
)  # fmt: skip


class ClipAd:
    size, rate, betas = 240, 1e-4, (0.9, 0.999)

    def __init__(self, clip, checkpoint):
        self.clip = Clip(clip, self.size, nn.GELU)
        for block in self.clip.visual.transformer.resblocks:
            block.attn = DualAttention(block.attn)
        self.linears = linears() if checkpoint else None
        if checkpoint:
            self.linears.load_state_dict(torch.load(checkpoint)["linear_layers"])

    def prepare(self, name):
        with torch.no_grad():
            self.text = torch.stack([self.state(name, phrases) for phrases in STATES], dim=1)  # [E, 2]

    def state(self, name, phrases):
        ids = open_clip.tokenize([template.format(phrase.format(name)) for phrase in phrases for template in TEMPLATES])
        texts = unit(self.clip.encode_text(self.clip.token_embedding(ids), ids))
        labels = DBSCAN(eps=0.5, min_samples=15).fit(texts.numpy()).labels_
        chosen = np.argmax(np.bincount(labels[labels >= 0]))
        return unit(texts[torch.from_numpy(labels == chosen)].mean(dim=0))

    @torch.no_grad()
    def encode(self, images):
        """For each level: O_l without the class token changed, and U_l, both [B, 1+L, .]."""
        visual, x, taps = self.clip.visual, self.clip.visual.embed(images), []
        blocks = visual.transformer.resblocks
        values = None
        for i, block in enumerate(blocks):
            more, attended = block.attn(block.ln_1(x))
            if values is None:
                x = x + attended
            else:
                x += attended  # in place, as in the authors' code: a tap holds the next block's attention
            if i % (len(blocks) // 4) == 0:
                values = more
            else:
                values += more
            x = x + block.mlp(block.ln_2(x))
            if i + 1 in LEVELS:
                taps.append((values, x))
        original, surgery = [], []
        for values, x in taps:
            values[0] = x[0]
            surgery.append(visual.ln_post(values.permute(1, 0, 2)) @ visual.proj)
            original.append(x.permute(1, 0, 2))
        return original, surgery

    def probabilities(self, original, text):
        """Both states' maps [B, 2, S, S] of each level."""
        features = [unit(linear(x[:, 1:])) for linear, x in zip(self.linears.fc, original)]
        maps = []
        for feature in features:
            logits = 100.0 * feature @ text
            batch, length, states = logits.shape
            logits = logits.permute(0, 2, 1).view(batch, states, round(length**0.5), -1)
            maps.append(torch.softmax(F.interpolate(logits, self.size, mode="bilinear", align_corners=True), dim=1))
        return maps

    @torch.no_grad()
    def score(self, images):
        original, surgery = self.encode(images)
        text = torch.stack([self.text] * len(images))  # [B, E, 2]
        features = [unit(u) for u in surgery]
        similarity = sum(weighted(feature, text) for feature in features)[:, 1:]
        side = round(similarity.shape[1] ** 0.5)
        similarity = similarity.reshape(len(images), side, side, 2).permute(0, 3, 1, 2)
        maps = F.interpolate(similarity, (self.size, self.size), mode="bilinear")[:, 1].numpy()
        if self.linears:
            maps = maps + np.sum([p[:, 1].numpy() for p in self.probabilities(original, text)], axis=0)
        maps = np.stack([gaussian_filter(one, sigma=8) for one in maps])
        probability = (100.0 * features[-1] @ text)[:, 0].softmax(dim=-1)[:, 1]
        return self.unit_range(maps), probability.tolist()

    def unit_range(self, maps):
        """Brings maps into our side's range, [0, 1], which keeps the order of their values."""
        levels = len(LEVELS)
        if self.linears:
            return (maps + levels) / (3 * levels)
        return 1 / (1 + np.exp(-200 * maps / levels))

    def parameters(self):
        return self.linears.parameters()

    def optimiser(self):
        return torch.optim.Adam(self.parameters(), lr=self.rate)

    def loss(self, images, masks, labels):
        original, _ = self.encode(images)
        loss = 0
        for p in self.probabilities(original, torch.stack([self.text] * len(images))):
            loss += focal(p, masks) + dice(p[:, 1], masks)
        return loss


def weighted(feature, text):
    """Similarities [B, 1+L, 2] to the states, weighted by the class token's, less their mean."""
    p = (feature[:, :1] @ text).softmax(-1)
    w = p / p.mean(-1, keepdim=True)
    batch, length, width = feature.shape
    products = feature.reshape(batch, length, 1, width) * text.permute(0, 2, 1).contiguous().reshape(batch, 1, 2, width)
    products *= w.reshape(batch, 1, 2, 1)
    return (products - products.mean(2, keepdim=True)).sum(-1)


def linears():
    return nn.ModuleDict({"fc": nn.ModuleList([nn.Linear(896, 640) for _ in LEVELS])})


def random_checkpoint(_):
    return {"linear_layers": linears().state_dict()}
