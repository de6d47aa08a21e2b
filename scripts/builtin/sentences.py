"""Sentences of a class in both states, drawn from the prompt sets of all methods."""

import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).parent.parent / "reference"))

import prompt_sets  # noqa: E402  (scripts/reference)
import prompts  # noqa: E402

LEARNED = " ".join(["x"] * 12)  # the places of the words that AnomalyCLIP learns
ANOMALY_CLIP = (("{}",), ("damaged {}",), ["{}.", LEARNED + " {}."])
# Normal phrases, abnormal phrases, templates.
SETS = (
    (*prompts.STATES, list(prompts.TEMPLATES)),
    prompt_sets.WINCLIP["anomalib"],
    prompt_sets.WINCLIP["caoyunkang"],
    prompt_sets.CLIP_AD,
    prompt_sets.ADACLIP,
    ANOMALY_CLIP,
)
BARE = {"texture": ("texture", "surface", "material"), "object": ("item", "product", "part")}
WORDS = tuple(pathlib.Path(__file__).with_name("words.txt").read_text().split())

RENAMED = 0.3  # share of the pairs whose class is called something else


def spoken(name):
    """A class's name as it stands in a sentence."""
    return name.replace("_", " ").strip()


def all_sentences(name):
    """Every sentence of every set in both states."""
    return [text for prompt_set in SETS for state in prompt_sets.fill(prompt_set, name) for text in state]


def called(name, kind, random):
    """The pair's name in this step, and whether it is its own."""
    if random.random() >= RENAMED:
        return spoken(name), True
    choice = random.random()
    if choice < 0.25:
        return "object", False
    if choice < 0.5:
        return random.choice(BARE[kind]), False
    return " ".join(random.sample(WORDS, random.choice((1, 2)))), False


def draw(name, random):
    """Sentences of both states, one each or, half of the time, two to four."""
    count = random.choice((1, 1, 1, 2, 3, 4))
    prompt_set = random.choice(SETS)
    both = ([], [])
    for _ in range(count):
        template = random.choice(prompt_set[2])
        for phrases, state in zip(prompt_set, both):
            state.append(template.format(random.choice(phrases).format(name)))
    return both
