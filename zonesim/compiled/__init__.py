"""What is compiled and knows nothing of plans: where compiled code is kept, exact arithmetic, random streams."""
