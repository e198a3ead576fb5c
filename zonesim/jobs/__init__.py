"""The jobs of the command line, one a module: from files and options to what is printed and written."""
