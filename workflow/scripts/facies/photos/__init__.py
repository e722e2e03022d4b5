"""From files to aligned faces.

Takes: photos of any format. Gives: sRGB crops with regions and measures, or the reason why not.
Imports: common.
"""
