"""Text that others wrote, for a terminal."""


def safe(text: str) -> str:
    """No colours, and nothing that a terminal or rich's markup would obey."""
    return printable(text).replace("[", r"\[")


def printable(text: str) -> str:
    """Nothing that a terminal would obey."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
