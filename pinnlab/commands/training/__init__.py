"""The commands that train: `fit`, `validate`, `test`, and `predict` of a checkpoint."""
