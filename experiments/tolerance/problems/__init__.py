"""The equations of the tolerance benchmark, each as its textbook states it."""
