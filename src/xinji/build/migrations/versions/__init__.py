"""One file a version; a version that was released is never edited."""
