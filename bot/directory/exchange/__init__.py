"""The directory comes in and goes out: HSDS JSON, HSDS tabular, the UK profile, and spreadsheets."""
