"""Random tensors that share a storage, so that torch.save writes small files."""

import torch


class Windows:
    """Returns windows of one storage of random values, each at another offset.

    The values are exact in half precision.
    """

    def __init__(self, largest, mean, std, generator, room, dtype=torch.float32):
        values = torch.empty(largest + room).normal_(mean, std, generator=generator)
        self.values = values.half().to(dtype)
        self.room, self.generator = room, generator

    def window(self, *shape):
        tensor = torch.empty(shape, device="meta")
        start = int(torch.randint(self.room, (1,), generator=self.generator))
        return torch.as_strided(self.values, shape, tensor.stride(), start)
