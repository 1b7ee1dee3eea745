"""Text from outside on a terminal: what cannot be shown is a question mark."""


def printable(text: str) -> str:
    """The text without line breaks, marks of direction and commands of a terminal."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else "?" for letter in text)
