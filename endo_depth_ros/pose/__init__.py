"""Camera tracking: from depth images to poses with covariance, states and keyframes."""
