"""A fitted model that can leave: sealed in one file, and applied in another hospital.

Takes: refitted models and networks; another hospital's sheets. Gives: the bundle; risks and
validation.
Imports: common, cohort, projection, statistics, survival, evaluation.
"""
