"""What people look at: slides, one figure a module."""
