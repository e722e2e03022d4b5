"""From the folds' fits to scores, calibration, comparisons and risk groups.

Takes: fits. Gives: the tables of the report's results, with intervals.
Imports: common, statistics, survival.
"""
