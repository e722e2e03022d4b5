"""Rendered people, whose survival is known to depend on what their faces show.

Takes: random numbers. Gives: portraits with their regions, and a cohort with a planted truth.
Imports: common, photos.
"""
