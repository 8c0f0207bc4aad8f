"""gtsam, or a sentence that says how to get it."""

try:
    import gtsam
except (ImportError, AttributeError) as error:  # built for another NumPy, a package may raise either
    raise ImportError(
        f"camera poses need gtsam, which can't be imported ({error}): pip install gtsam; for Python 3.10 there is "
        "gtsam 4.2 only, which needs numpy < 2"
    ) from error

__all__ = ["gtsam"]
