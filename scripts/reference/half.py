"""Rounding of learned tokens to float16, as the authors' code has it; gradients are rounded too."""


def half(x):
    return x.float().half().to(x.dtype)
