"""Long-tailed data sets: profiles, sources and device-resident batches."""
