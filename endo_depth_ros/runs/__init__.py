"""Evaluation runs: recordings with truth, what was answered to them, their figures and the report."""
