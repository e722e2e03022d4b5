"""Whether the risk depends on the face or on something else in the photo.

Takes: fits of all views and covers, measures of the photos. Gives: tests, and the verdict.
Imports: common, photos, generator, statistics, survival, evaluation.
"""
