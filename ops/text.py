"""Text that others wrote, for a terminal."""


def safe(text: str) -> str:
    """No colours, and nothing that a terminal would obey."""
    return "".join(letter if letter.isprintable() else "?" for letter in text).replace("[", r"\[")
