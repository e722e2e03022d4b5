"""Rendered people, whose survival depends on what their faces show.

Takes: random numbers. Gives: portraits with their regions, and a cohort with planted hazards.
Imports: common, photos.
"""
