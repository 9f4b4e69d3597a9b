"""`doctor`: whether this machine and environment are ready for pinnlab, and what to do where they are not."""
