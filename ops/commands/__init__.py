"""The commands of ``turnstile``, one a module; ``ops.__main__`` loads the module of the command that is run."""
