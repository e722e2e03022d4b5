"""One HTML page of a run's results.

Takes: result files. Gives: the page, its figures, and the answers to TRIPOD+AI.
Imports: common, generator, statistics.
"""
