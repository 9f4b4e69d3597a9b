"""Setup: the arguments, options and starting values of a training, checked before it begins."""
