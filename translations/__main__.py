"""``python -m translations`` brings the catalogues up to date with the texts in the code."""

from translations.extraction import update_all

if __name__ == "__main__":
    update_all()
