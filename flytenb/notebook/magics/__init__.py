"""Line and cell to names, options and one verb of `api`; holds no logic of its own."""
