"""What Snakemake hands to a script, for tests that call it."""


class Names(dict):
    """Named inputs, outputs, params or wildcards."""

    __getattr__ = dict.__getitem__
