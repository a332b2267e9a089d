"""From a source to the display and the recorder: threads and the channels between them."""
