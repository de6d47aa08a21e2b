"""anomalib's own WinCLIP with the weights of a folder."""

import torch
from anomalib.models.image.winclip import torch_model
from released import towers


class WinClip:
    size = 240

    def __init__(self, clip, _):
        torch_model.PRETRAINED = None  # no download
        self.model = torch_model.WinClipModel().eval()
        self.model.clip.load_state_dict({"logit_scale": torch.zeros(())} | towers.load(clip).weights)

    def prepare(self, name):
        self.model.setup(name)

    def score(self, images):
        out = self.model(images)
        return out.anomaly_map.numpy(), out.pred_score.tolist()
