"""From files to aligned faces.

Takes: photos of any format. Gives: sRGB crops with regions and quality measures, or the reason for
exclusion.
Imports: common.
"""
