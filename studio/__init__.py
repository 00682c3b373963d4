"""The desktop studio: Qt, no torch and no maths."""
