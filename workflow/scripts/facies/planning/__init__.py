"""What a study can show and what it will cost, before anything runs.

Takes: numbers of patients and events, settings. Gives: expected precision, time and memory.
Imports: statistics, survival, reliance (their settings).
"""
