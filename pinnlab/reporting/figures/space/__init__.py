"""Pictures of solutions over their regions: maps, slices, vector fields, animations."""
