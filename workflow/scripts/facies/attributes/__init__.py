"""What published networks estimate from a face: age and sex, expression, identity.

Takes: aligned photos. Gives: years, probabilities, and descriptors of identity.
Imports: common, photos.
"""
