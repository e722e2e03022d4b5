"""The library of the workflow, one package for each station of the road; each says what it takes,
what it gives and what it may import. The contract is in pyproject.toml."""
