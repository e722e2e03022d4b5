"""What every other package uses: errors, jobs, the store, seals, and result files.

Takes and gives: files of any content.
Imports: nothing of the library.
"""
