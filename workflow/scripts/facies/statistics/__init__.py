"""Estimators of survival statistics; they know of no photo, fold or model.

Takes: outcomes, risks and curves as arrays. Gives: estimates and intervals that agree with R's.
Imports: common.
"""
