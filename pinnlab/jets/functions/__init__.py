"""Elementary functions of series: their differential systems, and the recurrences that evaluate them."""
