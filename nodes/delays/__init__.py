"""Delays: attachments of a projection, one file each."""
