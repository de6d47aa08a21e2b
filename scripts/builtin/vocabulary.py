"""The cut vocabulary: a row of its own for each kept id of CLIP's, and hash rows that all other ids share."""

import json
import pathlib
import sys

import torch

sys.path.append(str(pathlib.Path(__file__).parent.parent / "reference"))

import prompts  # noqa: E402  (scripts/reference)
import sentences  # noqa: E402

HASHED = 256
START, END = 49406, 49407


class Vocabulary:
    """Row of an id: 256 + k for the k-th kept id, else id % 256. The end token's row is the last."""

    def __init__(self, kept):
        self.kept = sorted(kept)
        self._row = {token: HASHED + k for k, token in enumerate(self.kept)}
        self._texts = {}

    def __len__(self):
        return HASHED + len(self.kept)

    def rows(self, text):
        """A text's rows up to the end token, as a list."""
        rows = self._texts.get(text)
        if rows is None:
            if len(self._texts) > 200_000:
                self._texts.clear()
            ids = prompts.up_to_end(prompts.encode([text])[0])
            rows = self._texts[text] = [self._row.get(token, token % HASHED) for token in ids]
        return rows

    def batch(self, texts):
        """[len(texts), longest], filled up with zeros, which come after the end and have no effect."""
        rows = [self.rows(text) for text in texts]
        longest = max(map(len, rows))
        return torch.tensor([row + [0] * (longest - len(row)) for row in rows])


def kept_ids(names):
    """The ids in the prompt sets and in these class names, with start and end token."""
    ids = {START, END}
    for text in [*sentences.all_sentences("{}"), *sentences.BARE["texture"], *sentences.BARE["object"], "object", *names]:
        ids.update(prompts.up_to_end(prompts.encode([text.replace("{}", " ")])[0]))
    return sorted(ids)


def class_names(folder, extra=None):
    """Names, with spaces, of the classes of the pairs and of the file `extra`, one a line."""
    names = set()
    for path in sorted(pathlib.Path(folder).glob("pairs-*.json")):
        names.update(entry["class"] for entry in json.loads(path.read_text()))
    if extra:
        names.update(line.strip() for line in pathlib.Path(extra).read_text().splitlines())
    return sorted({sentences.spoken(name) for name in names if name})
