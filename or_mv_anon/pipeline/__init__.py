"""The main job: from recordings to protected videos and their audit."""
