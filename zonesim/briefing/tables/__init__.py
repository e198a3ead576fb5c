"""What people compare: tables for the terminal and files of numbers."""
