"""The programs that are compared, each as an experienced user of its tool would write it: `run(horizon, seed)`."""
