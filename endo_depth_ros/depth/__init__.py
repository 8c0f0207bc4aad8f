"""Depth estimators, their runtimes and the pipeline that nodes and command line share."""
