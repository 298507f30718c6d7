"""What every room stands on: records, boxes, configuration, the store, files, errors."""
