"""The endo-depth command line."""
