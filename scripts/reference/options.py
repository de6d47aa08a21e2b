"""The options in which the two presets and the ablations differ."""

from dataclasses import dataclass, replace

RANK, CONV_RANK, KERNELS, ALPHA = 16, 8, (3, 5), 2.0


@dataclass(frozen=True)
class Domain:
    """Domain-dependent choices of the released code's evaluation: a Gaussian and the weights of the image score."""

    kernel: int
    sigma: float
    score_classification: float
    score_map: float


@dataclass(frozen=True)
class Options:
    image_size: int = 336
    groups: int = 3
    kind: str = "conv_lora"  # or "lora"
    projections: str = "shared"  # or "per_branch"
    scale: str = "kernel"  # or "alpha"
    merge: str = "residual"  # or "rescale"
    init: str = "zero_up"  # or "normal_up"
    fusion: str = "dfg"  # or "static"
    similarity: str = "cosine"  # or "dot"
    average: str = "maps"  # or "logits"
    smoothing: bool = False
    classification: str = "class_token"  # or "detection"
    dice: str = "abnormal"  # or "both"
    focal: str = "binary"  # or "one_hot"
    tau: float = 0.1
    lambda_focal: float = 1.0
    lambda_dice: float = 1.0
    lambda_classification: float = 1.0
    hidden: int = 0  # width of the MLPs and gates; 0 means a quarter of the vision width
    activation: str = "gelu"
    domains: tuple = (("industrial", Domain(7, 1.0, 0.5, 0.5)), ("medical", Domain(9, 1.5, 0.5, 0.5)))

    def domain(self, name):
        return dict(self.domains)[name]

    def check(self, arch):
        """Raises ValueError if no model can be built."""
        for tower, layers in (("vision", arch.vision_layers), ("text", arch.text_layers)):
            if layers % self.groups:
                raise ValueError(f"{self.groups} groups do not divide the {tower} tower's {layers} blocks")
        if self.merge == "rescale" and self.init == "zero_up":
            raise ValueError("merge rescale with zero initial values is 0/0")


PAPER = Options()
RELEASED = replace(
    PAPER,
    image_size=518,
    groups=4,
    projections="per_branch",
    scale="alpha",
    merge="rescale",
    init="normal_up",
    similarity="dot",
    average="logits",
    smoothing=True,
    classification="detection",
    dice="both",
    focal="one_hot",
    domains=(("industrial", Domain(7, 1.0, 0.9, 0.1)), ("medical", Domain(9, 1.5, 0.5, 0.5))),
)
