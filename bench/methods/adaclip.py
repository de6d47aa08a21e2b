"""AdaCLIP as the released code computes it, in float32."""

import numpy as np
import open_clip
import torch
import torch.nn.functional as F
from released import Clip, dice, focal, towers, unit
from scipy.ndimage import gaussian_filter
from sklearn.cluster import KMeans
from torch import nn

DEPTH, LENGTH, LEVELS, CLUSTERS, SEED = 4, 5, (6, 12, 18, 24), 20, 111
STATES = (
    ("{}", "flawless {}", "perfect {}", "unblemished {}", "{} without flaw", "{} without defect", "{} without damage"),
    ("damaged {}", "broken {}", "{} with flaw", "{} with defect", "{} with damage"),
)
TEMPLATES = (
    "a bad photo of a {}.", "a low resolution photo of the {}.", "a bad photo of the {}.", "a cropped photo of the {}.",
)  # fmt: skip


class Heads(nn.Module):
    def __init__(self, inputs, outputs, count):
        super().__init__()
        self.head = nn.ModuleList([nn.Linear(inputs, outputs) for _ in range(count)])

    def stacked(self, x):
        return torch.stack([head(x) for head in self.head], dim=1)


class Tokens(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.static_prompts = nn.ParameterList([torch.randn(LENGTH, width) * 0.02 for _ in range(DEPTH)])
        self.dynamic = None

    def rows(self, i, batch):
        """The learned tokens before block i: [m, batch, width]."""
        return (self.dynamic + self.static_prompts[i].expand(batch, -1, -1)).permute(1, 0, 2).half()


class Learned(nn.Module):
    def __init__(self, vision, text, embed):
        super().__init__()
        self.text_prompter, self.visual_prompter = Tokens(text), Tokens(vision)
        self.patch_token_layer = Heads(vision, embed, len(LEVELS))
        self.cls_token_layer = Heads(embed, embed, 1)
        self.dynamic_visual_prompt_generator = Heads(embed, vision, LENGTH)
        self.dynamic_text_prompt_generator = Heads(embed, text, LENGTH)


class AdaClip:
    size = 518

    def __init__(self, clip, checkpoint):
        self.clip = Clip(clip, self.size, nn.GELU, "bicubic")
        self.learned = Learned(1024, 768, 768)
        values = torch.load(checkpoint)
        self.learned.load_state_dict({name.removeprefix("clip_model."): value for name, value in values.items()})

    def prepare(self, name):
        self.name = name

    def parameters(self):
        return self.learned.parameters()

    def optimiser(self):
        return torch.optim.AdamW(self.parameters(), lr=0.01, betas=(0.5, 0.999))

    def forward(self, images):
        """Each level's logits [B, 2, S, S] at full size, and the image's probabilities [B, 2]."""
        visual, own = self.clip.visual, self.learned
        with torch.no_grad():
            x = visual.embed(images)
            for block in visual.transformer.resblocks:
                x = block(x, need_weights=True)
            frozen = visual.ln_post(x.permute(1, 0, 2)[:, 0]) @ visual.proj
        own.visual_prompter.dynamic = own.dynamic_visual_prompt_generator.stacked(frozen)
        own.text_prompter.dynamic = own.dynamic_text_prompt_generator.stacked(frozen)
        x, taps = visual.embed(images), []
        for i, block in enumerate(visual.transformer.resblocks):
            if i < DEPTH:
                kept = x if i == 0 else x[:-LENGTH]
                x = torch.cat([kept, own.visual_prompter.rows(i, x.shape[1])], dim=0)
            x = block(x, need_weights=True)
            if i + 1 in LEVELS:
                taps.append(x[:-LENGTH].permute(1, 0, 2))
        image = visual.ln_post(x.permute(1, 0, 2)[:, 0]) @ visual.proj
        text = self.encode_text()
        patches = [unit(head(tap[:, 1:])) for head, tap in zip(own.patch_token_layer.head, taps)]
        image = unit(own.cls_token_layer.head[0](image))
        logits = [100.0 * patch @ text for patch in patches]
        image = F.normalize(0.2 * clustered(patches, logits) + 0.8 * image, dim=1)
        score = torch.softmax((100.0 * image.unsqueeze(1) @ text).squeeze(1), dim=1)
        maps = []
        for z in logits:
            z = z.permute(0, 2, 1).view(len(images), 2, round(z.shape[1] ** 0.5), -1)
            maps.append(F.interpolate(z, self.size, mode="bilinear", align_corners=True))
        return maps, score

    def encode_text(self):
        """[1, E, 2], for the tokens of the last picture."""

        def enter(i, x):
            if not 0 < i < DEPTH:
                return x
            return torch.cat([x[:1], self.learned.text_prompter.rows(i, x.shape[1]), x[1 + LENGTH :]], dim=0)

        states = []
        for phrases in STATES:
            ids = open_clip.tokenize([t.format(phrase.format(self.name)) for phrase in phrases for t in TEMPLATES])
            texts = unit(self.clip.encode_text(self.clip.token_embedding(ids), ids, enter, need_weights=True))
            states.append(unit(texts.mean(dim=0)))
        return F.normalize(torch.stack(states, dim=1)[None], dim=1)

    @torch.no_grad()
    def score(self, images):
        logits, score = self.forward(images)
        states = torch.softmax(torch.mean(torch.stack(logits, dim=1), dim=1), dim=1)
        maps = ((states[:, 1] + 1 - states[:, 0]) / 2.0).numpy()
        return np.stack([gaussian_filter(one, sigma=4) for one in maps]), score[:, 1].tolist()

    def loss(self, images, masks, labels):
        logits, score = self.forward(images)
        loss, mask = focal(score, labels), masks[0]
        for z in logits:
            p = torch.softmax(z, dim=1)
            loss = loss + focal(p, mask) + dice(p[:, 1], mask) + dice(p[:, 0], 1 - mask)
        return loss


def clustered(patches, logits):
    """The cluster feature [B, E].

    Unlike in the released code, the clustering starts anew for every picture, as ours does. It is in float64, as with
    the float16 features of the released code on a GPU; in float32, a few points can fall into other clusters.
    """
    abnormal = torch.softmax(torch.mean(torch.stack(logits, dim=1), dim=1), dim=2)[:, :, 1]
    places = torch.topk(abnormal, k=min(abnormal.shape[1], 5 * CLUSTERS), dim=1).indices
    chosen = [patch.gather(1, places.unsqueeze(-1).expand(-1, -1, patch.shape[-1])) for patch in patches]
    features = []
    for b, points in enumerate(torch.cat(chosen, dim=2)):
        np.random.seed(SEED)
        labels = KMeans(n_clusters=CLUSTERS, n_init="auto").fit_predict(points.detach().double().numpy())
        means = [torch.cat([c[b][labels == k] for c in chosen]).mean(dim=0, keepdim=True) for k in range(CLUSTERS)]
        features.append(torch.cat(means).mean(dim=0))
    return F.normalize(torch.stack(features), dim=1)


def random_checkpoint(clip):
    arch = towers.Arch.of(towers.load(clip).weights)
    learned = Learned(arch.vision_width, arch.text_width, arch.embed_dim)
    return {"clip_model." + name: value for name, value in learned.state_dict().items()}
