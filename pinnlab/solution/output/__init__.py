"""What a solution leaves: pictures, animations, and files of values."""
