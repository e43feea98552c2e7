// Starts and ends.
