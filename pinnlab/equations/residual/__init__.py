"""What a residual is given, what it gives back, and what its dry run says of it."""
