"""Windows that ask or tell something before work goes on."""
