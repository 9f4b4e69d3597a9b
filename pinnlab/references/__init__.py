"""True solutions by classical methods, where no closed form is known: numbers alone, and numpy alone.

Each is a method that is no neural network, so that a network is judged by something else:

- `initial_value`: ordinary differential equations by Chebyshev collocation on one interval after another;
- `boundary_value`: those with conditions at both ends, on all intervals at once;
- `periodic`: periodic problems in one dimension by Fourier series and ETDRK4;
- `cole_hopf`: viscous Burgers' equation by its integral;
- `harmonic`: Dirichlet problems by functions that satisfy the equation exactly;
- `screened`: the screened Poisson equation around discs, in the same way;
- `cavity`: the driven cavity by Chebyshev collocation and Newton's method;
- `profiles`: self-similar profiles of blow-up, by shooting or, with a Hilbert transform, by a grid in log y.
"""
