"""What the risk shows in a face: the health direction, edits, and maps.

Takes: fits, codes, generator. Gives: directions, edited faces and attribution maps.
Imports: common, cohort, photos, generator, demo, projection, statistics, survival.
"""
