"""Shipped configurations, as tests that share one process read them."""

from pinnlab import problems


def spelt_out(content):
    """A configuration with the whole path of its equation: tests define classes of the catalogue's names."""
    equation = content.get("model", {}).get("equation")
    if equation is None:
        return content
    equation = equation if isinstance(equation, dict) else {"class_path": equation}
    if equation["class_path"] in problems.__all__:
        equation = equation | {"class_path": f"pinnlab.problems.{equation['class_path']}"}
    return content | {"model": content["model"] | {"equation": equation}}
