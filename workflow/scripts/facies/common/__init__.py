"""What every other package uses: errors, jobs, the store, seals, and tables on disk.

Takes and gives: files, whatever they hold.
Imports: nothing of the library.
"""
