"""The prompt sets of WinCLIP's two implementations, CLIP-AD and AdaCLIP: states outer, templates inner."""

NOUNS = "{}", "flawless {}", "perfect {}", "unblemished {}", "{} without flaw", "{} without defect", "{} without damage"
DAMAGED = "damaged {}", "{} with flaw", "{} with defect", "{} with damage"


def photos(text):
    """"dark the a, " becomes "a dark photo of the {}", "a dark photo of a {}", ...; "for ..." comes after the name."""
    for part in text.split(", "):
        *words, last = part.split()
        articles = [last]
        if words and words[-1] in ("a", "the"):
            articles.insert(0, words.pop())
        kind = " ".join(words)
        for article in articles:
            yield photo(kind, article)


def photo(kind, article):
    if kind.startswith("for "):
        return f"a photo of {article} {{}} {kind}"
    if kind in ("small", "large"):
        return f"a photo of {article} {kind} {{}}"
    return f"a {kind} photo of {article} {{}}".replace("  ", " ")


ENDING = "for visual inspection the a, for anomaly detection the a"
WINCLIP = {
    "anomalib": (
        NOUNS,
        DAMAGED,
        [  # one template is there twice, two of the paper's are missing
            text + "."
            for text in photos(
                "cropped the, close-up a the, bright a the, dark the a, jpeg corrupted the the, blurry the a, a the, "
                "small a the, large a the, " + ENDING
            )
        ],
    ),
    "caoyunkang": (
        NOUNS,
        DAMAGED,
        list(
            photos(
                "cropped the a, close-up a the, bright a the, dark the a, jpeg corrupted a the, blurry the a, a the, "
                "small a the, large a the, " + ENDING
            )
        ),
    ),
}
FLAWS = "flaw", "defect", "damage", "scratch", "crack", "contamination"
CLIP_AD = (
    ("flawless {}", "perfect {}", "unblemished {}", *(f"{{}} without {flaw}" for flaw in FLAWS)),
    ("damaged {}", "imperfect {}", "blemished {}", "broken {}", *(f"{{}} with {flaw}" for flaw in FLAWS)),
    [
        text + "."
        for text in photos(
            "cropped the a, close-up a the, bright a the, dark the a, jpeg corrupted a the, blurry the a, the a, "
            "large a, small the, large the, small a, " + ENDING
        )
    ],
)
ADACLIP = (
    NOUNS,
    ("damaged {}", "broken {}", "{} with flaw", "{} with defect", "{} with damage"),
    ["a bad photo of a {}.", "a low resolution photo of the {}.", "a bad photo of the {}.", "a cropped photo of the {}."],
)


def fill(prompt_set, name):
    """The normal and the abnormal prompts of a class's name."""
    *states, templates = prompt_set
    return [[template.format(phrase.format(name)) for phrase in phrases for template in templates] for phrases in states]
