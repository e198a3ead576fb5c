"""What happened to one token: the rows of its run, and the story that they make."""
