"""AnomalyCLIP as the released code computes it, in float32."""

import torch
import torch.nn.functional as F
from released import Clip, DualAttention, QuickGELU, dice, focal, towers, unit
from scipy.ndimage import gaussian_filter

WORDS, DEPTH, TOKENS = 12, 9, 4
LEVELS, FIRST = (24,), 6  # blocks, from 1
TAU = 0.07
START, WORD, DAMAGED, OBJECT, STOP, END = 49406, 343, 13568, 14115, 269, 49407


class AnomalyClip:
    size = 518

    def __init__(self, clip, checkpoint):
        self.clip = Clip(clip, self.size, QuickGELU, "bilinear")
        for block in self.clip.visual.transformer.resblocks[FIRST - 1 :]:
            block.attn = DualAttention(block.attn)
        self.learned = torch.load(checkpoint)["prompt_learner"]
        for parameter in self.parameters():
            parameter.requires_grad_(True)

    def parameters(self):
        return [self.learned[name] for name in ("ctx_pos", "ctx_neg")] + self.deep()

    def deep(self):
        return [self.learned[f"compound_prompts_text.{i}"] for i in range(DEPTH - 1)]

    def prepare(self, _):
        with torch.no_grad():
            self.text = self.encode_text()

    def encode_text(self):
        """The unit features [2, E]."""
        prompts, ids = [], []
        for state in ("pos", "neg"):
            parts = [self.learned[f"{part}_{state}"] for part in ("token_prefix", "ctx", "token_suffix")]
            prompts.append(torch.cat(parts, dim=2).reshape(1, -1, parts[0].shape[-1]))
            ids.append(self.learned[f"tokenized_prompts_{state}"].reshape(1, -1))
        deep = self.deep()

        def enter(i, x):
            if not 0 < i < DEPTH:
                return x
            rows = deep[i - 1].expand(x.shape[1], -1, -1).permute(1, 0, 2).half()
            return torch.cat([x[:1], rows, x[1 + TOKENS :]], dim=0)

        return unit(self.clip.encode_text(torch.cat(prompts), torch.cat(ids), enter))

    @torch.no_grad()
    def encode(self, images):
        """The class embeddings [B, E] and each level's patch embeddings [B, 1+L, E], not normalised."""
        visual, x, path, taps = self.clip.visual, self.clip.visual.embed(images), None, []
        for i, block in enumerate(visual.transformer.resblocks, 1):
            if i < FIRST:
                x = block(x)
                continue
            values, attended = block.attn(block.ln_1(x))
            if path is None:
                path, x = x, x + attended
            else:
                x += attended
            x = x + block.mlp(block.ln_2(x))
            path += values
            if i in LEVELS:
                taps.append(path.clone())
        return x[0] @ visual.proj, [visual.ln_post(tap.permute(1, 0, 2)) @ visual.proj for tap in taps]

    def probabilities(self, level, text):
        """Both states' maps [B, S, S, 2] of a level."""
        feature = unit(level)
        batch, length, width = feature.shape
        similarity = (feature.reshape(batch, length, 1, width) * text.reshape(1, 1, 2, width)).sum(-1)
        states = (similarity / TAU).softmax(-1)[:, 1:]
        side = round(states.shape[1] ** 0.5)
        states = states.reshape(batch, side, side, 2).permute(0, 3, 1, 2)
        return F.interpolate(states, (self.size, self.size), mode="bilinear").permute(0, 2, 3, 1)

    @torch.no_grad()
    def score(self, images):
        image, levels = self.encode(images)
        classes = ((unit(image) @ self.text.T) / TAU).softmax(-1)[:, 1]
        states = [self.probabilities(level, self.text) for level in levels]
        maps = torch.stack([(p[..., 1] + 1 - p[..., 0]) / 2.0 for p in states]).sum(dim=0)
        maps = torch.stack([torch.from_numpy(gaussian_filter(one, sigma=4)) for one in maps])
        return (maps / len(LEVELS)).numpy(), classes.tolist()

    def optimiser(self):
        return torch.optim.Adam(self.parameters(), lr=1e-3, betas=(0.5, 0.999))

    def loss(self, images, masks, labels):
        image, levels = self.encode(images)
        text = self.encode_text()
        classification = F.cross_entropy((unit(image) @ text.T) / TAU, labels)
        loss = 0
        for level in levels:
            p = self.probabilities(level, text).permute(0, 3, 1, 2)
            loss += focal(p, masks) + dice(p[:, 1], masks) + dice(p[:, 0], 1 - masks)
        return 4 * loss + classification


def random_checkpoint(clip):
    table = towers.load(clip).weights["token_embedding.weight"]
    width = table.shape[1]
    out = {}
    for state, ids in (("pos", [OBJECT, STOP, END]), ("neg", [DAMAGED, OBJECT, STOP, END])):
        ids = torch.tensor([START] + [WORD] * WORDS + ids)
        ids = F.pad(ids, (0, 77 - len(ids)))
        out[f"ctx_{state}"] = torch.randn(1, 1, WORDS, width) * 0.02
        out[f"token_prefix_{state}"] = table[ids[:1]][None, None].clone()
        out[f"token_suffix_{state}"] = table[ids[1 + WORDS :]][None, None].clone()
        out[f"tokenized_prompts_{state}"] = ids.to(torch.int32)[None, None]
    for i in range(DEPTH - 1):
        out[f"compound_prompts_text.{i}"] = torch.randn(TOKENS, width) * 0.02
        out[f"compound_prompt_projections.{i}.weight"] = torch.zeros(896, width)  # never used
        out[f"compound_prompt_projections.{i}.bias"] = torch.zeros(896)
    return {"prompt_learner": out}
