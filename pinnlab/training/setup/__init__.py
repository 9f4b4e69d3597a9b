"""What is made ready before a training begins."""
