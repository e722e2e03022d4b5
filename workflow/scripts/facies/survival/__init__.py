"""Survival models, tuned and fitted within one cross-validation fold.

Takes: codes, clinical columns and outcomes. Gives: risks and survival curves of held-out
patients.
Imports: common, statistics.
"""
