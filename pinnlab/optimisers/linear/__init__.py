"""Linear algebra of the optimisers: operators, and least squares with damping or bounds.

Every nonlinear step solves a linear problem, min_v ‖J v + b‖² + μ ‖v‖². `least_squares` says what a solver of it is and
has the two that factorise J: `Orthogonal` (QR) and `Normal` (Cholesky). `conjugate_gradients` needs products with J
alone, and `bounded_least_squares` is exact for small problems with bounds. The other modules serve these: `operators`
(J as a linear map), `structured` (BLAS and LAPACK for triangles and Gram matrices) and `shared_rows` (rows on several
ranks).
"""
