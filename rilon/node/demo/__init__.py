"""The demo: a real hub and six real nodes on one machine, plainly fictional people, and a short story."""
