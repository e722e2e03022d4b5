"""From aligned photos to codes in W+, and how much of a photo its code keeps.

Takes: crops and a generator. Gives: codes, reconstructions and their quality control.
Imports: common, photos, generator.
"""
