"""The texts for people in each language: gettext catalogues as ``<language>/<domain>.po``, and how they are loaded."""
