"""From two sheets of text to typed tables.

Takes: photos.csv and patients.csv as people write them. Gives: columns with one type each, and
the reason for each excluded row.
Imports: common.
"""
