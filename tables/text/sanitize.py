"""Texts that people typed, made safe to stand in a line of ours: one line, nothing invisible that turns it around."""

from typing import Final

# Marks and embeddings that change the direction of what follows (Unicode's Bidi_Control).
TURNING: Final = dict.fromkeys([0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])
# They join letters and emoji, and are no harm.
JOINING: Final = "\u200c\u200d"


def plain(text: str) -> str:
    """The text on one line, without control characters and marks of direction."""
    turned = text.translate(TURNING)
    return "".join(letter if letter.isprintable() or letter in JOINING else " " for letter in turned).strip()


def plain_list(*texts: str) -> str:
    """The texts on one line with commas between, without those of which nothing is left."""
    return ", ".join(filter(None, map(plain, texts)))
