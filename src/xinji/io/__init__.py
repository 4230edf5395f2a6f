"""Files in and out: region folders, common map formats, plans."""
