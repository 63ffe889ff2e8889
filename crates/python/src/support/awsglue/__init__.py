"""What Glue's scripts import, as far as Python-shell jobs use it: awsglue.utils."""
