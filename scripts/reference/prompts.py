"""Prompts of a class and their ids."""

import regex
from open_clip.tokenizer import SimpleTokenizer

from towers import END_OF_TEXT

TEMPLATES = ("{}.", "a photo of {}.")
STATES = (
    ("{}", "a {}", "the {}"),
    ("a damaged {}", "a broken {}", "a {} with flaw", "a {} with defect", "a {} with damage"),
)
CONTEXT = 77


class Tokenizer(SimpleTokenizer):
    """open_clip's tokenizer, with OpenAI's spelling of the two special tokens: <|startoftext|> and <|endoftext|>."""

    def __init__(self):
        super().__init__()
        for spelling, token in (("<|startoftext|>", self.sot_token_id), ("<|endoftext|>", self.eot_token_id)):
            self.encoder[spelling] = token
            self.cache[spelling] = spelling
        self.pat = regex.compile(
            r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+",
            regex.IGNORECASE,
        )


_tokenizer = Tokenizer()


def prompts(name):
    """The prompts of both states for a class's prompt name: by state, then by template."""
    return [[template.format(state.format(name)) for state in states for template in TEMPLATES] for states in STATES]


def encode(texts, context=CONTEXT):
    """[len(texts), context] ids."""
    return _tokenizer(texts, context_length=context)


def class_ids(name):
    """Ids of the normal and of the abnormal prompts."""
    return [encode(texts) for texts in prompts(name)]


def up_to_end(ids):
    """A row of ids up to and including its first end token."""
    ids = ids.tolist()
    return ids[: ids.index(END_OF_TEXT) + 1]
