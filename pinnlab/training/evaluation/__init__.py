"""What a run is judged by: figures on held-out points, error estimates, and findings in plain sentences."""
