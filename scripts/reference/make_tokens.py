"""Writes difficult texts and their ids: `python make_tokens.py pkg/clip/tokenizer/testdata/hostile.json`.

Texts that ftfy considers wrongly decoded are skipped: the tokenizer does not repair those.
"""

import json
import random
import sys
import unicodedata

import ftfy

from prompts import encode, up_to_end

PIECES = [
    *"abcXYZ 0123456789 .,!?'\"-_/\\|<>&;#()[]{}",
    *"áÉñößøÅçœŒæłđİıſΣσςΑΆЖяёЁ中文字カｶﾞがガ한글ابजि",
    *"²½Ⅷ①٣四€™©…–—‘’‚‛“”„‟ʼ´`",
    *"ﬀﬁﬂﬃﬄﬅﬆĲŉǅǈǋＡｚ９！＇￠　",
    *"\t\n\r\v\f\x00\x01\x1b\x1c\x1f\x7f\x85\x91\x9d\xa0\u1680\u2003\u200b\u200d\u2028\u2029\u202e\u206a\u3000\ufeff\ufffc\ufffd",
    *"😀🔧👩🏽🇩🇪\u0301\u0308\u0323\u20e3",
    "'s", "'T", "'re", "'VE", "'m", "'ll", "'D", "'ſ", "''s", "!'s", "o’clock ",
    "&amp;", "&amp;amp;", "&lt;", "&LT;", "&lt", "&EACUTE;", "&eacute;", "&NTILDE;", "&SZLIG;", "&semi;", "&notit;", "&nosuch;", "&amp;lt;b&amp;gt;",
    "&#64257;", "&#x41;", "&#X1F600", "&#0;", "&#128;", "&#150;", "&#59;", "&#xD800;", "&#1114112;", "&#4294967361;", "&#xFFFE;", "&#13;", "&#;", "&#x;", "&frac12;", "&FRAC12;",
    "<|startoftext|>", "<|ENDOFTEXT|>", "<|endoftext|>", "<|", "<b>", "</b>", "\r\n", "\x1b[31m", "\x1b[0;1m", "e\u0301", "A\u030a", "\u1112\u1161\u11ab", "ΌΔΟΣ ", "ΣΑΣ'Σ.", "I\u0307",
    "crack ", "scratch ", "anomaly ", "pcb3 ", "metal_nut ", "hazelnut", "Transistor ", "0.5mm ", "word" * 12,
]


def texts(seed):
    random.seed(seed)
    for _ in range(330):
        count = random.choice((1, 2, 3, 5, 8, 13, 30))
        yield "".join(random.choice(PIECES) for _ in range(count))
    for _ in range(25):  # random characters of the first planes, except surrogates and unassigned ones
        points = (random.choice((0x250, 0x600, 0x3100, 0xFFFF, 0x1FAFF)) for _ in range(8))
        letters = [random.randrange(0x20, point) for point in points]
        yield "".join(chr(letter) for letter in letters if unicodedata.category(chr(letter)) not in ("Cn", "Cs"))
    yield "x" * 300
    yield "crack " * 80
    yield "!" * 200


def wrongly_decoded(text):
    return ftfy.fix_text(text) != ftfy.fix_text(text, fix_encoding=False)


def main(path, seed=7):
    rows, seen = [], set()
    for text in texts(seed):
        if text not in seen and not wrongly_decoded(text):
            seen.add(text)
            rows.append({"text": text, "ids": up_to_end(encode([text])[0])})
    with open(path, "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows) + "\n]\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
