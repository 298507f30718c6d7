"""What an anonymizer is judged by: exposed faces first, then detection, tracking and association."""
