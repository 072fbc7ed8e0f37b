"""The reference central server: publishes signed lists to the gates that it knows."""
